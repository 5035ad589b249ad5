package main

import (
	"errors"
	"fmt"

	"github.com/FerretDB/wire/wirebson"
)

// namespace is an object with methods, like `rs`.
type namespace map[string]function

// globals and methods are what can be called, and nothing else: collections have no methods here.
var globals = map[string]any{
	"rs": namespace{
		"hello":    admin("hello"),
		"initiate": admin("replSetInitiate"),
		"isMaster": admin("isMaster"),
		"status":   admin("replSetGetStatus"),
	},
	"disableTelemetry": function(func(*session, []any) (any, error) { return nil, nil }),
	"exit":             function(leave),
	"print":            function(show),
	"printjson":        function(show),
	"quit":             function(leave),
}

var methods map[string]func(database) function

func init() {
	methods = map[string]func(database) function{
		"adminCommand": func(database) function { return command("admin") },
		"runCommand":   func(on database) function { return command(string(on)) },
		"hello":        plain("hello"),
		"isMaster":     plain("isMaster"),
		"serverStatus": plain("serverStatus"),
		"stats":        plain("dbStats"),
		"dropDatabase": plain("dropDatabase"),
		"getName":      func(on database) function { return value(string(on)) },
		"getSiblingDB": func(database) function { return sibling },
		"version":      func(database) function { return version },
		"auth":         func(on database) function { return authenticate(string(on)) },
		"createUser":   func(on database) function { return createUser(string(on)) },
		"dropUser":     func(on database) function { return named("dropUser", string(on)) },
		"createCollection": func(on database) function {
			return named("create", string(on))
		},
	}
}

func plain(name string) func(database) function {
	return func(on database) function {
		return func(s *session, _ []any) (any, error) {
			return s.command(string(on), wirebson.MustDocument(name, int32(1)))
		}
	}
}

func admin(name string) function {
	return func(s *session, _ []any) (any, error) {
		return s.command("admin", wirebson.MustDocument(name, int32(1)))
	}
}

// command sends what it is given: {ping: 1} or "ping".
func command(on string) function {
	return func(s *session, arguments []any) (any, error) {
		if len(arguments) > 0 {
			switch argument := arguments[0].(type) {
			case string:
				return s.command(on, wirebson.MustDocument(argument, int32(1)))
			case *wirebson.Document:
				return s.command(on, argument)
			}
		}
		return nil, errors.New("a command is a name or a document, such as {ping: 1}")
	}
}

// named sends {NAME: argument, ...options}.
func named(name, on string) function {
	return func(s *session, arguments []any) (any, error) {
		document := wirebson.MakeDocument(2)
		subject, err := wordAt(arguments, 0)
		if err != nil {
			return nil, err
		}
		if err := document.Add(name, subject); err != nil {
			return nil, err
		}
		if len(arguments) > 1 {
			if options, ok := arguments[1].(*wirebson.Document); ok {
				if err := merge(document, options, ""); err != nil {
					return nil, err
				}
			}
		}
		return s.command(on, document)
	}
}

func createUser(on string) function {
	return func(s *session, arguments []any) (any, error) {
		if len(arguments) == 0 {
			return nil, errors.New("createUser wants {user: ..., pwd: ..., roles: [...]}")
		}
		user, ok := arguments[0].(*wirebson.Document)
		if !ok || user.Get("user") == nil {
			return nil, errors.New("createUser wants {user: ..., pwd: ..., roles: [...]}")
		}
		document := wirebson.MustDocument("createUser", user.Get("user"))
		if err := merge(document, user, "user"); err != nil {
			return nil, err
		}
		return s.command(on, document)
	}
}

func merge(into, from *wirebson.Document, without string) error {
	for name, value := range from.All() {
		if name == without {
			continue
		}
		if err := into.Add(name, value); err != nil {
			return err
		}
	}
	return nil
}

func authenticate(on string) function {
	return func(s *session, arguments []any) (any, error) {
		user, err := wordAt(arguments, 0)
		if err != nil {
			return nil, err
		}
		password, err := wordAt(arguments, 1)
		if err != nil {
			return nil, err
		}
		s.close()
		s.target.user, s.target.password, s.target.authDatabase = user, password, on
		s.client, err = connect(s.target)
		return wirebson.MustDocument("ok", int32(1)), err
	}
}

func sibling(_ *session, arguments []any) (any, error) {
	name, err := wordAt(arguments, 0)
	return database(name), err
}

func version(s *session, _ []any) (any, error) {
	answer, err := s.command("admin", wirebson.MustDocument("buildInfo", int32(1)))
	if err != nil {
		return nil, err
	}
	return answer.Get("version"), nil
}

func value(of any) function {
	return func(*session, []any) (any, error) { return of, nil }
}

func show(_ *session, arguments []any) (any, error) {
	for _, argument := range arguments {
		if text, ok := argument.(string); ok {
			fmt.Println(text)
		} else {
			fmt.Println(inspect(argument, ""))
		}
	}
	return nil, nil
}

func leave(_ *session, arguments []any) (any, error) {
	if len(arguments) == 0 {
		return nil, quit(0)
	}
	if code, ok := asNumber(arguments[0]); ok {
		return nil, quit(int(code))
	}
	if truthy(arguments[0]) {
		return nil, quit(1)
	}
	return nil, quit(0)
}

func wordAt(arguments []any, position int) (string, error) {
	if position < len(arguments) {
		if word, ok := arguments[position].(string); ok {
			return word, nil
		}
	}
	return "", errors.New("a name in quotes is missing")
}
