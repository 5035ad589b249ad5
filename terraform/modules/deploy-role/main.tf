# What a GitHub job of one environment may do: its state, its images, its infrastructure. It can make roles for workloads,
# but only under the boundary below, which it cannot change: no way up from here.
locals {
  arn         = "arn:${var.partition}"
  here        = "${var.region}:${var.account_id}"
  boundary    = "${local.arn}:iam::${var.account_id}:policy/${var.name}-boundary"
  deploy_role = "${local.arn}:iam::${var.account_id}:role/${var.name}-deploy"
}

resource "aws_iam_role" "this" {
  name                 = "${var.name}-deploy"
  description          = "Promotes to ${var.environment} from GitHub"
  max_session_duration = 7200

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = var.oidc_provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = [for prefix in var.subject_prefixes : "${prefix}:environment:${var.environment}"]
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "state" {
  name = "state"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = var.state_bucket_arn
        # `terraform init` also lists workspaces, under env:/, though there are none.
        Condition = { StringLike = { "s3:prefix" = ["${var.environment}/*", "env:/*"] } }
      },
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = "${var.state_bucket_arn}/${var.environment}/terraform.tfstate"
      },
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        Resource = "${var.state_bucket_arn}/${var.environment}/terraform.tfstate.tflock"
      },
      {
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.bootstrap_key_arn
      },
    ]
  })
}

resource "aws_iam_role_policy" "images" {
  count = length(var.repository_arns) > 0 ? 1 : 0

  name = "images"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },
      {
        Effect   = "Allow"
        Resource = var.repository_arns
        Action = concat(
          ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"],
          var.pushes_images ? ["ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"] : [],
        )
      },
    ]
  })
}

resource "aws_iam_role_policy" "infrastructure" {
  name = "infrastructure"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Region"
        Effect = "Allow"
        Action = [
          "acm:*", "autoscaling:*", "cloudwatch:*", "ec2:*", "eks:*", "elasticache:*", "elasticloadbalancing:*", "kafka:*", "rds:*",
          "kms:ListAliases", "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
          "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
          "secretsmanager:GetRandomPassword",
        ]
        Resource  = "*"
        Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
      },
      {
        Sid    = "Named"
        Effect = "Allow"
        Action = ["budgets:*", "cloudformation:*", "logs:*", "secretsmanager:*", "sns:*", "s3:*"]
        Resource = [
          "${local.arn}:budgets::${var.account_id}:budget/${var.name}",
          "${local.arn}:cloudformation:${local.here}:stack/${var.name}-*",
          "${local.arn}:logs:${local.here}:log-group:/aws/*/${var.name}*",
          "${local.arn}:secretsmanager:${local.here}:secret:AmazonMSK_${var.project}/${var.environment}/*",
          "${local.arn}:sns:${local.here}:${var.name}-*",
          "${local.arn}:s3:::${var.name}-*",
        ]
      },
      {
        Sid      = "Encryption"
        Effect   = "Allow"
        Action   = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"]
        Resource = var.key_arn
      },
      {
        Sid      = "Dns"
        Effect   = "Allow"
        Action   = ["route53:ChangeResourceRecordSets", "route53:GetHostedZone", "route53:ListResourceRecordSets", "route53:ListTagsForResource"]
        Resource = var.zone_arn
      },
      {
        Sid      = "DnsLookup"
        Effect   = "Allow"
        Action   = ["route53:GetChange", "route53:ListHostedZones", "route53:ListHostedZonesByName"]
        Resource = "*"
      },
      {
        Sid       = "RolesUnderTheBoundary"
        Effect    = "Allow"
        Action    = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:DetachRolePolicy", "iam:DeleteRolePolicy", "iam:PutRolePolicy"]
        Resource  = "${local.arn}:iam::${var.account_id}:role/${var.name}-*"
        Condition = { StringEquals = { "iam:PermissionsBoundary" = local.boundary } }
      },
      {
        Sid    = "Roles"
        Effect = "Allow"
        Action = [
          "iam:DeleteRole", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole",
          "iam:ListRolePolicies", "iam:PassRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy",
        ]
        Resource = "${local.arn}:iam::${var.account_id}:role/${var.name}-*"
      },
      {
        Sid      = "ServiceLinkedRoles"
        Effect   = "Allow"
        Action   = ["iam:CreateServiceLinkedRole", "iam:GetRole"]
        Resource = "${local.arn}:iam::${var.account_id}:role/aws-service-role/*"
      },
      {
        Sid      = "NoWayUp"
        Effect   = "Deny"
        Action   = "iam:*"
        Resource = [local.deploy_role, local.boundary]
      },
    ]
  })
}
