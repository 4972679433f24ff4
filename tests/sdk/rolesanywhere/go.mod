module countersign.test/rolesanywhere

go 1.21

require github.com/aws/rolesanywhere-credential-helper v1.1.1
