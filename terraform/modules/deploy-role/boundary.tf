# The most that any role of the environment can do, whatever its policies say: no IAM, no other role, no other project's data.
resource "aws_iam_policy" "boundary" {
  name        = "${var.name}-boundary"
  description = "Upper limit of the roles in ${var.environment}"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "ClusterAndNodes"
        Effect = "Allow"
        Action = [
          "autoscaling:*", "ec2:*", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetAuthorizationToken",
          "ecr:GetDownloadUrlForLayer", "eks:Describe*", "eks-auth:AssumeRoleForPodIdentity", "elasticloadbalancing:*", "kms:*",
        ]
        Resource  = "*"
        Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
      },
      {
        Sid    = "Workloads"
        Effect = "Allow"
        Action = ["logs:*", "s3:*", "secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
        Resource = [
          "${local.arn}:logs:${local.here}:log-group:/aws/*/${var.name}*",
          "${local.arn}:s3:::${var.name}-*",
          "${local.arn}:secretsmanager:${local.here}:secret:AmazonMSK_${var.project}/${var.environment}/*",
        ]
      },
    ]
  })
}
