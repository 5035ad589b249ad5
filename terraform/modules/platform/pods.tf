# AWS rights of pods, by service account; services that are not here have none.
locals {
  bucket_policies = {
    messaging = { buckets = ["attachments"], object_actions = ["s3:GetObject", "s3:PutObject"] }
    billing   = { buckets = ["invoices"], object_actions = ["s3:GetObject", "s3:PutObject"] }
    # Finds the buckets in place; where there are none (MinIO) it makes them.
    init = { buckets = ["attachments", "invoices"], object_actions = [] }
  }

  pods = merge(
    {
      for name, needs in local.bucket_policies : name => {
        namespace       = var.namespace
        service_account = name
        policy = jsonencode({
          Version = "2012-10-17"
          Statement = concat(
            [{
              Effect   = "Allow"
              Action   = ["s3:ListBucket"]
              Resource = [for bucket in needs.buckets : module.object_storage.bucket_arns[bucket]]
            }],
            length(needs.object_actions) == 0 ? [] : [
              {
                Effect   = "Allow"
                Action   = needs.object_actions
                Resource = [for bucket in needs.buckets : "${module.object_storage.bucket_arns[bucket]}/*"]
              },
              {
                Effect   = "Allow"
                Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
                Resource = [var.kms_key_arn]
              },
            ],
          )
        })
      }
    },
    {
      external-secrets = {
        namespace       = "external-secrets"
        service_account = "external-secrets"
        policy = jsonencode({
          Version = "2012-10-17"
          Statement = [
            {
              Effect   = "Allow"
              Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
              Resource = [for secret in var.secrets : secret.arn]
            },
            {
              Effect   = "Allow"
              Action   = ["kms:Decrypt"]
              Resource = [var.kms_key_arn]
            },
          ]
        })
      }
    },
  )
}
