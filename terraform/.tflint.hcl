# tflint --recursive --chdir=terraform --config="$PWD/terraform/.tflint.hcl"
plugin "terraform" {
  enabled = true
  preset  = "all"
}

# tests/terraform/test_layout.py asks for the same files, except in rehearsal/, which is laid over others.
rule "terraform_standard_module_structure" {
  enabled = false
}
