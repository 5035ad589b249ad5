mock_provider "aws" {
  source = "./mocks"
}

variables {
  name                     = "caas-staging"
  partition                = "aws"
  kubernetes_version       = "1.34"
  subnet_ids               = ["subnet-a", "subnet-b", "subnet-c"]
  public_access_cidrs      = []
  admins                   = { deploy = "arn:aws:iam::123456789012:role/caas-staging-deploy" }
  node_type                = "t3.large"
  node_count               = 2
  kms_key_arn              = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  log_retention_days       = 30
  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/caas-staging-boundary"
  pods = {
    messaging = {
      namespace       = "caas"
      service_account = "messaging"
      policy          = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
    }
  }
}

run "kubernetes" {
  module {
    source = "../modules/kubernetes"
  }

  assert {
    condition     = aws_eks_cluster.this.version == var.kubernetes_version && aws_eks_node_group.this.version == var.kubernetes_version
    error_message = "The cluster or its nodes run another version than kubernetes_version."
  }

  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API" && !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions
    error_message = "Access comes from somewhere else than access entries."
  }

  assert {
    condition     = aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == var.kms_key_arn && contains(aws_eks_cluster.this.encryption_config[0].resources, "secrets")
    error_message = "The cluster's secrets are not encrypted with the key."
  }

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access && !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "Without public_access_cidrs the API server is public."
  }

  assert {
    condition     = length(aws_eks_cluster.this.enabled_cluster_log_types) == 5 && aws_cloudwatch_log_group.this.kms_key_id == var.kms_key_arn
    error_message = "Control-plane logs are incomplete or not encrypted."
  }

  assert {
    condition     = aws_launch_template.node.metadata_options[0].http_tokens == "required" && aws_launch_template.node.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "Pods can reach the node's credentials."
  }

  assert {
    condition     = tobool(aws_launch_template.node.block_device_mappings[0].ebs[0].encrypted)
    error_message = "The nodes' disks are not encrypted."
  }

  assert {
    condition     = jsondecode(aws_eks_addon.network.configuration_values).enableNetworkPolicy == "true"
    error_message = "NetworkPolicies are not enforced."
  }

  assert {
    condition     = alltrue([for role in concat(values(aws_iam_role.pod), [aws_iam_role.cluster, aws_iam_role.node, aws_iam_role.cni]) : role.permissions_boundary == var.permissions_boundary_arn])
    error_message = "A role lacks the boundary."
  }

  assert {
    condition     = jsondecode(aws_iam_role.pod["messaging"].assume_role_policy).Statement[0].Condition.StringEquals["aws:RequestTag/kubernetes-service-account"] == "messaging"
    error_message = "Any pod can take the role of messaging."
  }

  assert {
    condition     = aws_eks_pod_identity_association.pod["messaging"].namespace == "caas" && output.roles == { messaging = "caas-staging-messaging" }
    error_message = "The pods of messaging do not get their role."
  }

  assert {
    condition     = output.version == "1.34" && output.endpoint == "https://cluster.mock" && output.certificate_authority == "bW9jaw==" && output.node_autoscaling_group == "mock-nodes"
    error_message = "The outputs do not say how to reach the cluster."
  }
}

run "kubernetes_reached_from_named_networks" {
  module {
    source = "../modules/kubernetes"
  }

  variables {
    public_access_cidrs = ["192.0.2.0/24"]
  }

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].public_access_cidrs == toset(["192.0.2.0/24"])
    error_message = "public_access_cidrs does not open the API server to exactly these networks."
  }
}

run "kubernetes_refuses_the_whole_internet" {
  command = plan

  module {
    source = "../modules/kubernetes"
  }

  variables {
    public_access_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.public_access_cidrs]
}

run "kubernetes_refuses_a_patch_version_and_a_single_node" {
  command = plan

  module {
    source = "../modules/kubernetes"
  }

  variables {
    kubernetes_version = "1.34.4"
    node_count         = 1
  }

  expect_failures = [var.kubernetes_version, var.node_count]
}
