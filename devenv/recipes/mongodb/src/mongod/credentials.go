package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// credentials is the administrator that the environment asks for; the zero value means an open server.
type credentials struct{ user, password string }

// Upstream's two images differ in the prefix of their variables.
var prefixes = []string{"MONGO_INITDB_ROOT_", "MONGODB_INITDB_ROOT_"}

func rootCredentials() (credentials, error) {
	user, err := fromEnvironment("USERNAME")
	if err != nil {
		return credentials{}, err
	}
	password, err := fromEnvironment("PASSWORD")
	if err != nil {
		return credentials{}, err
	}
	if (user == "") != (password == "") {
		return credentials{}, errors.New("MONGO_INITDB_ROOT_USERNAME and MONGO_INITDB_ROOT_PASSWORD go together: " +
			"set both, or none for a server without passwords")
	}
	return credentials{user, password}, nil
}

func fromEnvironment(suffix string) (string, error) {
	for _, prefix := range prefixes {
		name := prefix + suffix
		text, file := os.Getenv(name), os.Getenv(name+"_FILE")
		switch {
		case text != "" && file != "":
			return "", fmt.Errorf("%s and %s_FILE are both set: keep one", name, name)
		case text != "":
			return text, nil
		case file != "":
			content, err := os.ReadFile(file)
			if err != nil {
				return "", fmt.Errorf("%s_FILE: %w", name, err)
			}
			return strings.TrimRight(string(content), "\n"), nil
		}
	}
	return "", nil
}
