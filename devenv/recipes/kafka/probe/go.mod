module devenv/kafka-probe

go 1.25
