# Planted for checkov and trivy: a bucket that everybody may read.
resource "aws_s3_bucket" "planted" {
  bucket = "planted"
  acl    = "public-read"
}
