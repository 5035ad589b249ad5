# tflint-ignore-file: terraform_required_version
# A mocked AWS has one address, so buckets are named in the path.
provider "aws" {
  s3_use_path_style = true
}
