module devenv/minio-probe

go 1.25
