# What a small platform has in AWS, of what a mocked one can keep: the plan of it is what the no-op promotion is timed with.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}

locals {
  services = toset(["gateway", "messaging", "sockets", "billing"])
  buckets  = toset(["attachments", "invoices", "logs"])
  zones    = { a = "10.0.0.0/20", b = "10.0.16.0/20", c = "10.0.32.0/20" }
}

resource "aws_kms_key" "this" {
  description         = "bench"
  enable_key_rotation = true
}

resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "this" {
  for_each = local.zones

  vpc_id            = aws_vpc.this.id
  cidr_block        = each.value
  availability_zone = "eu-central-1${each.key}"
}

resource "aws_ecr_repository" "this" {
  for_each = local.services

  name                 = "bench/${each.key}"
  image_tag_mutability = "IMMUTABLE"
}

resource "aws_iam_role" "this" {
  for_each = local.services

  name = "bench-${each.key}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "pods.eks.amazonaws.com" } }]
  })
}

resource "aws_s3_bucket" "this" {
  for_each = local.buckets

  bucket = "bench-${each.key}"
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = aws_s3_bucket.this

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.this.arn
    }
  }
}

output "repositories" {
  description = "Where the images go."
  value       = { for name, one in aws_ecr_repository.this : name => one.repository_url }
}
