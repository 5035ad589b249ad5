output "bootstrap_servers" {
  description = "KAFKA_BOOTSTRAP_SERVERS of the services: `host:port`, separated by commas."
  value       = aws_msk_cluster.this.bootstrap_brokers_sasl_scram
}

output "replication_factor" {
  description = "KAFKA_REPLICATION_FACTOR of the services: fewer copies than min.insync.replicas would refuse every message."
  value       = "3"
}

output "security_protocol" {
  description = "KAFKA_SECURITY_PROTOCOL of the services."
  value       = "SASL_SSL"
}

output "sasl_mechanism" {
  description = "KAFKA_SASL_MECHANISM of the services."
  value       = "SCRAM-SHA-512"
}

output "alarms" {
  description = "What the brokers are watched for; see modules/observability."
  value = merge(
    {
      kafka-offline-partitions = {
        description = "Some partitions have no leader: messages of their conversations wait"
        namespace   = "AWS/Kafka"
        metric      = "OfflinePartitionsCount"
        statistic   = "Maximum"
        comparison  = "GreaterThanThreshold"
        threshold   = 0
        dimensions  = { "Cluster Name" = aws_msk_cluster.this.cluster_name }
      }
    },
    {
      for index in range(length(var.subnet_ids)) : "kafka-disk-${index + 1}" => {
        description = "A broker's disk is three quarters full: raise broker_disk_gb"
        namespace   = "AWS/Kafka"
        metric      = "KafkaDataLogsDiskUsed"
        statistic   = "Maximum"
        comparison  = "GreaterThanThreshold"
        threshold   = 75
        dimensions  = { "Cluster Name" = aws_msk_cluster.this.cluster_name, "Broker ID" = tostring(index + 1) }
      }
    },
  )
}
