output "load_balancer_host" {
  description = "The load balancer's own host name."
  value       = aws_lb.this.dns_name
}

output "alarms" {
  description = "What the door is watched for; see modules/observability."
  value = {
    ingress-unhealthy = {
      description = "The load balancer reaches the ingress controller on no node of some zone"
      namespace   = "AWS/NetworkELB"
      metric      = "HealthyHostCount"
      statistic   = "Minimum"
      comparison  = "LessThanThreshold"
      threshold   = 1
      dimensions  = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.this.arn_suffix }
    }
  }
}
