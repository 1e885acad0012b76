output "addresses" {
  value = { for name, eip in aws_eip.relay : name => eip.public_ip }
}
