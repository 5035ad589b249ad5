output "address" {
  description = "MONGODB_ADDRESS of the services: what follows the login in MONGODB_URL."
  value       = "${aws_docdb_cluster.this.endpoint}:${aws_docdb_cluster.this.port}/?tls=true&tlsCAFile=${var.ca_file}&replicaSet=rs0&retryWrites=false"
}

output "alarms" {
  description = "What the cluster is watched for; see modules/observability."
  value = {
    mongodb-cpu = {
      description = "MongoDB is busy: a larger instance_type, or a missing index"
      namespace   = "AWS/DocDB"
      metric      = "CPUUtilization"
      statistic   = "Average"
      comparison  = "GreaterThanThreshold"
      threshold   = 80
      dimensions  = { DBClusterIdentifier = aws_docdb_cluster.this.cluster_identifier }
    }
    mongodb-memory = {
      description = "MongoDB has less than 256 MiB of free memory"
      namespace   = "AWS/DocDB"
      metric      = "FreeableMemory"
      statistic   = "Minimum"
      comparison  = "LessThanThreshold"
      threshold   = 268435456
      dimensions  = { DBClusterIdentifier = aws_docdb_cluster.this.cluster_identifier }
    }
  }
}
