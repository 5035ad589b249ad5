# Amazon DocumentDB: MongoDB's protocol, managed. TLS is required, the password arrives in memory only.
resource "aws_docdb_subnet_group" "this" {
  name       = "${var.name}-mongodb"
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-mongodb"
  description = "MongoDB, from the nodes only"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "nodes" {
  security_group_id            = aws_security_group.this.id
  description                  = "MongoDB from the nodes"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 27017
  to_port                      = 27017
}

resource "aws_docdb_cluster_parameter_group" "this" {
  name        = "${var.name}-mongodb"
  family      = "docdb${join(".", slice(split(".", var.engine_version), 0, 2))}"
  description = "TLS only, audited"

  parameter {
    name  = "tls"
    value = "enabled"
  }

  parameter {
    name  = "audit_logs"
    value = "enabled"
  }

  parameter {
    name  = "profiler"
    value = "enabled"
  }
}

resource "aws_docdb_cluster" "this" {
  cluster_identifier              = "${var.name}-mongodb"
  engine_version                  = var.engine_version
  port                            = 27017
  master_username                 = var.username
  master_password_wo              = var.password
  master_password_wo_version      = var.password_version
  db_subnet_group_name            = aws_docdb_subnet_group.this.name
  vpc_security_group_ids          = [aws_security_group.this.id]
  db_cluster_parameter_group_name = aws_docdb_cluster_parameter_group.this.name
  storage_encrypted               = true
  kms_key_id                      = var.kms_key_arn
  backup_retention_period         = var.backup_retention_days
  enabled_cloudwatch_logs_exports = ["audit", "profiler"]
  deletion_protection             = var.deletion_protection
  skip_final_snapshot             = !var.deletion_protection
  final_snapshot_identifier       = var.deletion_protection ? "${var.name}-mongodb-final" : null

  depends_on = [aws_cloudwatch_log_group.this]
}

# Made here so that DocumentDB does not make them without a key and an end.
resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is the environment's choice (log_retention_days)
  for_each = toset(["audit", "profiler"])

  name              = "/aws/docdb/${var.name}-mongodb/${each.key}"
  kms_key_id        = var.kms_key_arn
  retention_in_days = var.log_retention_days
}

resource "aws_docdb_cluster_instance" "this" {
  count = var.instance_count

  identifier                 = "${var.name}-mongodb-${count.index}"
  cluster_identifier         = aws_docdb_cluster.this.id
  instance_class             = var.instance_type
  auto_minor_version_upgrade = true
}
