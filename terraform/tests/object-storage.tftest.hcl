mock_provider "aws" {
  source = "./mocks"
}

variables {
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
}

run "object_storage" {
  module {
    source = "../modules/object-storage"
  }

  variables {
    prefix            = "caas-staging-123456789012-"
    buckets           = ["attachments", "invoices"]
    old_versions_days = 7
    cors_origins      = ["https://app.example.com"]
    force_destroy     = false
  }

  assert {
    condition = alltrue([
      for block in aws_s3_bucket_public_access_block.this :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ]) && length(aws_s3_bucket_public_access_block.this) == 2
    error_message = "A bucket can be made public."
  }

  assert {
    condition = alltrue([
      for encryption in aws_s3_bucket_server_side_encryption_configuration.this :
      one(encryption.rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn
    ]) && length(aws_s3_bucket_server_side_encryption_configuration.this) == 2
    error_message = "Objects are not encrypted with the key."
  }

  assert {
    condition     = alltrue([for policy in aws_s3_bucket_policy.this : strcontains(policy.policy, "aws:SecureTransport") && strcontains(policy.policy, "Deny")])
    error_message = "A bucket answers without TLS."
  }

  assert {
    condition     = alltrue([for versioning in aws_s3_bucket_versioning.this : versioning.versioning_configuration[0].status == "Enabled"])
    error_message = "Deleted objects cannot be restored."
  }

  assert {
    condition     = aws_s3_bucket.this["attachments"].bucket == "caas-staging-123456789012-attachments" && keys(output.bucket_arns) == ["attachments", "invoices"]
    error_message = "The buckets are not the ones that the services ask for."
  }
}
