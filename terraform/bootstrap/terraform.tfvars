# Example values: replace all of them (docs/guides/aws-account.md).
account_id = "123456789012"
region     = "eu-central-1"

environments = {
  staging    = { zone = "staging.example.com", pushes_images = true }
  production = { zone = "example.com", pushes_images = false }
}

github_subject_prefixes = ["repo:example@1/caas@2"]
