# What every environment stands on: the key, the registry, the deploy roles, and bootstrap that joins them.
mock_provider "aws" {
  source = "./mocks"
}

run "encryption" {
  module {
    source = "../modules/encryption"
  }

  variables {
    name = "caas-staging"
  }

  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key does not rotate."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_kms_key.this.policy).Statement : try(statement.Principal.AWS, "") != "*" && try(statement.Principal, "") != "*"
    ])
    error_message = "The key's policy lets everybody use it."
  }
}

run "registry" {
  module {
    source = "../modules/registry"
  }

  variables {
    project            = "caas"
    partition          = "aws"
    services           = ["gateway", "messaging"]
    images_kept        = 500
    reader_account_ids = ["210987654321"]
    kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  }

  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.image_tag_mutability == "IMMUTABLE"])
    error_message = "A tag could be moved to another image."
  }

  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.encryption_configuration[0].kms_key == var.kms_key_arn])
    error_message = "Images are not encrypted with the key."
  }

  assert {
    condition     = alltrue([for policy in aws_ecr_lifecycle_policy.this : !strcontains(policy.policy, "untagged")])
    error_message = "Untagged images expire by themselves, and one of them may be the release that runs."
  }

  assert {
    condition     = alltrue([for policy in aws_ecr_repository_policy.this : !strcontains(policy.policy, "ecr:Put")])
    error_message = "Another account may push."
  }

  assert {
    condition     = keys(output.repository_urls) == ["gateway", "messaging"]
    error_message = "repository_urls does not have one entry for each service."
  }
}

run "deploy_role" {
  module {
    source = "../modules/deploy-role"
  }

  variables {
    name              = "caas-production"
    project           = "caas"
    environment       = "production"
    account_id        = "123456789012"
    partition         = "aws"
    region            = "eu-central-1"
    oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    subject_prefixes  = ["repo:example@1/caas@2", "repo:example/caas"]
    state_bucket_arn  = "arn:aws:s3:::caas-123456789012-terraform-state"
    bootstrap_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    key_arn           = "arn:aws:kms:eu-central-1:123456789012:key/11111111-1111-1111-1111-111111111111"
    zone_arn          = "arn:aws:route53:::hostedzone/Z0123456789"
    repository_arns   = ["arn:aws:ecr:eu-central-1:123456789012:repository/caas/gateway"]
    pushes_images     = false
  }

  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = ["repo:example@1/caas@2:environment:production", "repo:example/caas:environment:production"]
      }
    }
    error_message = "Not exactly this repository's jobs in this environment can take the role."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.images[0].policy, "ecr:PutImage")
    error_message = "An environment that takes another's release may push images."
  }

  assert {
    condition = anytrue([
      for statement in jsondecode(aws_iam_role_policy.infrastructure.policy).Statement : statement.Effect == "Deny" && statement.Action == "iam:*" &&
      contains(flatten([statement.Resource]), "arn:aws:iam::123456789012:role/caas-production-deploy") &&
      contains(flatten([statement.Resource]), "arn:aws:iam::123456789012:policy/caas-production-boundary")
    ])
    error_message = "The role can change itself or its boundary."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.infrastructure.policy).Statement : statement.Condition.StringEquals["iam:PermissionsBoundary"] == "arn:aws:iam::123456789012:policy/caas-production-boundary"
      if contains(flatten([statement.Action]), "iam:CreateRole")
    ])
    error_message = "The role can make roles without a boundary."
  }

  assert {
    condition     = !strcontains(aws_iam_policy.boundary.policy, "iam:") && !strcontains(aws_iam_policy.boundary.policy, "sts:")
    error_message = "The boundary allows IAM or other roles."
  }
}

run "bootstrap" {
  module {
    source = "../bootstrap"
  }

  variables {
    account_id              = "123456789012"
    region                  = "eu-central-1"
    github_subject_prefixes = ["repo:example@1/caas@2"]
    environments = {
      staging    = { zone = "staging.example.com", pushes_images = true }
      production = { zone = "example.com", pushes_images = false }
    }
  }

  assert {
    condition     = output.state_bucket == "caas-123456789012-terraform-state"
    error_message = "The state bucket has another name than the guide says."
  }

  assert {
    condition     = keys(output.deploy_role_arns) == ["production", "staging"] && keys(output.name_servers) == ["production", "staging"]
    error_message = "An environment lacks its deploy role or its zone."
  }
}

run "bootstrap_refuses_a_wildcard_subject" {
  command = plan

  module {
    source = "../bootstrap"
  }

  variables {
    account_id              = "123456789012"
    region                  = "eu-central-1"
    environments            = {}
    github_subject_prefixes = ["repo:example/*"]
  }

  expect_failures = [var.github_subject_prefixes]
}
