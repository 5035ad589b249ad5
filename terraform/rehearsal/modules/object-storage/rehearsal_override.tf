# tflint-ignore-file: terraform_required_version
# The mock reads a policy's Deny and not its conditions, and would refuse every request.
resource "aws_s3_bucket_policy" "this" {
  for_each = toset([])
}

# The provider waits 50 s for the real S3 to agree with itself; a rehearsal does not.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = toset([])
}
