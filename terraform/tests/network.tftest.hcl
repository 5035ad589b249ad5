# The network, the names and the door.
mock_provider "aws" {
  source = "./mocks"
}

variables {
  name                     = "caas-staging"
  region                   = "eu-central-1"
  cidr                     = "10.20.0.0/16"
  availability_zones       = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  nat_per_zone             = true
  kms_key_arn              = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  log_retention_days       = 30
  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/caas-staging-boundary"
}

run "network" {
  module {
    source = "../modules/network"
  }

  assert {
    condition     = length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0
    error_message = "The default security group has rules."
  }

  assert {
    condition     = length(aws_route_table.data.route) == 0
    error_message = "The backends' subnets have a way out."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch != true])
    error_message = "Instances would get public addresses."
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 3
    error_message = "nat_per_zone does not make a NAT gateway in each zone."
  }

  assert {
    condition     = length(distinct([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private), values(aws_subnet.data)) : subnet.cidr_block])) == 9
    error_message = "Subnets overlap."
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow_logs.kms_key_id == var.kms_key_arn && aws_flow_log.this.traffic_type == "ALL"
    error_message = "Flow logs are incomplete or not encrypted."
  }

  assert {
    condition     = length(output.private_subnet_ids) == 3 && length(output.data_subnet_ids) == 3 && length(output.public_subnet_ids) == 3
    error_message = "A tier does not span three zones."
  }
}

run "network_with_one_nat_gateway" {
  module {
    source = "../modules/network"
  }

  variables {
    nat_per_zone = false
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["eu-central-1a"]
    error_message = "Without nat_per_zone there is not exactly one NAT gateway."
  }
}

run "network_refuses_a_small_range" {
  command = plan

  module {
    source = "../modules/network"
  }

  variables {
    cidr = "10.20.0.0/24"
  }

  expect_failures = [var.cidr]
}

run "dns" {
  module {
    source = "../modules/dns"
  }

  variables {
    zone = "staging.example.com"
    host = "staging.example.com"
  }

  assert {
    condition     = aws_route53_record.proof["staging.example.com"].name == "_proof.staging.example.com"
    error_message = "The certificate is not proved in the zone."
  }

  assert {
    condition     = output.certificate_arn == "arn:aws:acm:eu-central-1:123456789012:certificate/mock" && output.zone_id == "Z0123456789"
    error_message = "The door would get no certificate or no zone."
  }
}

run "dns_refuses_a_host_outside_its_zone" {
  command = plan

  module {
    source = "../modules/dns"
  }

  variables {
    zone = "staging.example.com"
    host = "api.example.org"
  }

  expect_failures = [var.host]
}

run "ingress" {
  module {
    source = "../modules/ingress"
  }

  variables {
    vpc_id                 = "vpc-0123456789abcdef0"
    subnet_ids             = ["subnet-a", "subnet-b", "subnet-c"]
    node_security_group_id = "sg-nodes"
    node_autoscaling_group = "nodes"
    node_port              = 30443
    allowed_cidrs          = ["192.0.2.0/24"]
    host                   = "staging.example.com"
    zone_id                = "Z0123456789"
    certificate_arn        = "arn:aws:acm:eu-central-1:123456789012:certificate/mock"
    deletion_protection    = true
  }

  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.https : "${rule.cidr_ipv4} ${rule.from_port}-${rule.to_port}"] == ["192.0.2.0/24 443-443"]
    error_message = "The door is open to others than allowed_cidrs, or on another port than 443."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.nodes.cidr_ipv4 == null && aws_vpc_security_group_ingress_rule.nodes.from_port == 30443
    error_message = "Nodes accept others than the load balancer."
  }

  assert {
    condition     = aws_lb_listener.this.protocol == "TLS" && aws_lb_target_group.this.protocol == "TLS" && strcontains(aws_lb_listener.this.ssl_policy, "TLS13")
    error_message = "Traffic is not encrypted all the way, or by an old protocol."
  }

  assert {
    condition     = aws_lb.this.enable_deletion_protection
    error_message = "deletion_protection does not protect."
  }
}
