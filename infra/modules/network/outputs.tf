output "vpc_id" {
  value = aws_vpc.this.id
}

output "cidr" {
  value = aws_vpc.this.cidr_block
}

output "public_subnets" {
  value = [for subnet in aws_subnet.public : subnet.id]
}

output "edge_subnets" {
  value = [for subnet in var.private_edges ? aws_subnet.private : aws_subnet.public : subnet.id]
}
