output "endpoint" {
  description = "URL of the API server."
  value       = aws_eks_cluster.this.endpoint
}

output "certificate_authority" {
  description = "CA of the API server, base64-encoded PEM."
  value       = aws_eks_cluster.this.certificate_authority[0].data
}

output "version" {
  description = "Minor version of Kubernetes that runs."
  value       = aws_eks_cluster.this.version
}

output "node_security_group_id" {
  description = "Security group of the nodes, and so of the pods."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "node_autoscaling_group" {
  description = "Name of the nodes' Auto Scaling group."
  value       = aws_eks_node_group.this.resources[0].autoscaling_groups[0].name
}

output "roles" {
  description = "Name of each pod role, by the name it was given."
  value       = { for name, role in aws_iam_role.pod : name => role.name }
}

output "alarms" {
  description = "What the nodes are watched for; see modules/observability."
  value = {
    node-cpu = {
      description = "The nodes are busy: raise node_count"
      namespace   = "AWS/EC2"
      metric      = "CPUUtilization"
      statistic   = "Average"
      comparison  = "GreaterThanThreshold"
      threshold   = 80
      dimensions  = { AutoScalingGroupName = aws_eks_node_group.this.resources[0].autoscaling_groups[0].name }
    }
    node-down = {
      description = "A node fails its status check"
      namespace   = "AWS/EC2"
      metric      = "StatusCheckFailed"
      statistic   = "Maximum"
      comparison  = "GreaterThanThreshold"
      threshold   = 0
      dimensions  = { AutoScalingGroupName = aws_eks_node_group.this.resources[0].autoscaling_groups[0].name }
    }
  }
}
