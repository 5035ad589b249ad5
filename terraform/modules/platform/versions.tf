terraform {
  required_version = ">= 1.11"

  # Mocks take the place of a provider that is declared here.
  required_providers {
    # tflint-ignore: terraform_unused_required_providers
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}
