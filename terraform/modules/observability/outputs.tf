output "topic_arn" {
  description = "Topic that alarms and the budget publish to."
  value       = aws_sns_topic.this.arn
}
