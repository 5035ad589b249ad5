output "url" {
  description = "REDIS_URL of the services: TLS, the user, and no password."
  value       = "rediss://${var.username}@${aws_elasticache_replication_group.this.primary_endpoint_address}:${aws_elasticache_replication_group.this.port}/0"
}

output "alarms" {
  description = "What the nodes are watched for; see modules/observability."
  value = merge([
    for index in range(var.node_count) : {
      "redis-memory-${index + 1}" = {
        description = "Redis is nearly full and will evict or refuse: a larger node_type"
        namespace   = "AWS/ElastiCache"
        metric      = "DatabaseMemoryUsagePercentage"
        statistic   = "Maximum"
        comparison  = "GreaterThanThreshold"
        threshold   = 80
        dimensions  = { CacheClusterId = "${var.name}-redis-${format("%03d", index + 1)}" }
      }
      "redis-cpu-${index + 1}" = {
        description = "Redis is busy: a larger node_type"
        namespace   = "AWS/ElastiCache"
        metric      = "EngineCPUUtilization"
        statistic   = "Average"
        comparison  = "GreaterThanThreshold"
        threshold   = 80
        dimensions  = { CacheClusterId = "${var.name}-redis-${format("%03d", index + 1)}" }
      }
    }
  ]...)
}
