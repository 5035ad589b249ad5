mock_provider "aws" {
  source = "./mocks"
}

variables {
  name                     = "caas-staging"
  vpc_id                   = "vpc-0123456789abcdef0"
  subnet_ids               = ["subnet-a", "subnet-b", "subnet-c"]
  client_security_group_id = "sg-nodes"
  kms_key_arn              = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  log_retention_days       = 30
  backup_retention_days    = 7
  username                 = "caas"
  secret_arn               = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:AmazonMSK_caas/staging/backend-AbCdEf"
}

run "mongodb" {
  module {
    source = "../modules/mongodb"
  }

  variables {
    instance_type       = "db.t4g.medium"
    instance_count      = 2
    deletion_protection = true
    password            = "only-in-memory"
    password_version    = 1
  }

  assert {
    condition     = aws_docdb_cluster.this.storage_encrypted == true && aws_docdb_cluster.this.kms_key_id == var.kms_key_arn
    error_message = "MongoDB's data is not encrypted with the key."
  }

  assert {
    condition     = aws_docdb_cluster.this.master_password == null
    error_message = "MongoDB's password is in state."
  }

  assert {
    condition     = { for parameter in aws_docdb_cluster_parameter_group.this.parameter : parameter.name => parameter.value }.tls == "enabled"
    error_message = "MongoDB accepts connections without TLS."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.nodes.referenced_security_group_id == "sg-nodes" && aws_vpc_security_group_ingress_rule.nodes.cidr_ipv4 == null
    error_message = "MongoDB accepts others than the nodes."
  }

  assert {
    condition     = aws_docdb_cluster.this.deletion_protection && !aws_docdb_cluster.this.skip_final_snapshot
    error_message = "deletion_protection does not protect."
  }

  assert {
    condition     = startswith(output.address, "mongodb.mock:27017/?tls=true&") && strcontains(output.address, "retryWrites=false")
    error_message = "MONGODB_ADDRESS is not what the services need."
  }
}

run "kafka" {
  module {
    source = "../modules/kafka"
  }

  variables {
    broker_type    = "kafka.t3.small"
    broker_disk_gb = 20
  }

  assert {
    condition     = aws_msk_cluster.this.encryption_info[0].encryption_at_rest_kms_key_arn == var.kms_key_arn
    error_message = "Kafka's data is not encrypted with the key."
  }

  assert {
    condition     = aws_msk_cluster.this.encryption_info[0].encryption_in_transit[0].client_broker == "TLS" && aws_msk_cluster.this.encryption_info[0].encryption_in_transit[0].in_cluster
    error_message = "Kafka accepts connections without TLS."
  }

  assert {
    condition     = aws_msk_cluster.this.client_authentication[0].sasl[0].scram && !aws_msk_cluster.this.client_authentication[0].unauthenticated
    error_message = "Kafka accepts clients without a password."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.nodes.referenced_security_group_id == "sg-nodes" && aws_vpc_security_group_ingress_rule.nodes.cidr_ipv4 == null
    error_message = "Kafka accepts others than the nodes."
  }

  assert {
    condition     = strcontains(aws_msk_configuration.this.server_properties, "min.insync.replicas=2") && aws_msk_cluster.this.number_of_broker_nodes == 3
    error_message = "An acknowledged message can be lost with one broker."
  }

  assert {
    condition     = output.bootstrap_servers == "kafka-1.mock:9096,kafka-2.mock:9096,kafka-3.mock:9096" && output.security_protocol == "SASL_SSL" && output.sasl_mechanism == "SCRAM-SHA-512"
    error_message = "The outputs are not what the services need."
  }
}

run "redis" {
  module {
    source = "../modules/redis"
  }

  variables {
    node_type         = "cache.t4g.micro"
    node_count        = 2
    secret_version_id = "00000000-0000-0000-0000-000000000001"
  }

  assert {
    condition     = tobool(aws_elasticache_replication_group.this.at_rest_encryption_enabled) && aws_elasticache_replication_group.this.kms_key_id == var.kms_key_arn
    error_message = "Redis's data is not encrypted with the key."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.transit_encryption_mode == "required"
    error_message = "Redis accepts connections without TLS."
  }

  assert {
    condition = jsondecode(aws_cloudformation_stack.user.template_body).Resources.User.Properties.Passwords == [
      "{{resolve:secretsmanager:${var.secret_arn}:SecretString:password::00000000-0000-0000-0000-000000000001}}"
    ]
    error_message = "Redis's password is not a reference to the secret."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.user_group_ids == toset(["mock-services"]) && aws_elasticache_replication_group.this.auth_token == null
    error_message = "Redis does not ask for the user's password."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.nodes.referenced_security_group_id == "sg-nodes" && aws_vpc_security_group_ingress_rule.nodes.cidr_ipv4 == null
    error_message = "Redis accepts others than the nodes."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.multi_az_enabled
    error_message = "Two nodes do not fail over."
  }

  assert {
    condition     = output.url == "rediss://caas@redis.mock:6379/0"
    error_message = "REDIS_URL is not what the services need."
  }
}
