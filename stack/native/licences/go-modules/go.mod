module jarvis/licences/go-modules

go 1.24

require github.com/google/licensecheck v0.3.1
