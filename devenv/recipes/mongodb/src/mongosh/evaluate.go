package main

import (
	"fmt"

	"github.com/FerretDB/wire/wirebson"
)

// session is the state of one run: the connection, made when it is first needed, and the current database.
type session struct {
	target   target
	database string
	client   *client
}

// database is what `db` is; function is what can be called.
type database string

type function func(*session, []any) (any, error)

func (s *session) run(statements program, each bool) error {
	for i, statement := range statements {
		value, err := statement(s)
		if err != nil {
			return err
		}
		if value != nil && (each || i == len(statements)-1) {
			fmt.Println(inspect(value, ""))
		}
	}
	return nil
}

func (s *session) command(database string, document *wirebson.Document) (*wirebson.Document, error) {
	if s.client == nil {
		var err error
		if s.client, err = connect(s.target); err != nil {
			return nil, err
		}
	}
	return s.client.command(database, document)
}

func (s *session) close() {
	if s.client != nil {
		_ = s.client.Close()
	}
}

func name(word string) (expression, error) {
	switch word {
	case "true":
		return constant(true), nil
	case "false":
		return constant(false), nil
	case "null", "undefined":
		return constant(nil), nil
	case "db":
		return func(s *session) (any, error) { return database(s.database), nil }, nil
	}
	if known, ok := globals[word]; ok {
		return constant(known), nil
	}
	return nil, fmt.Errorf("%q is not understood; %s", word, usage)
}

func property(of expression, name string) expression {
	return func(s *session) (any, error) {
		value, err := of(s)
		if err != nil {
			return nil, err
		}
		switch value := value.(type) {
		case *wirebson.Document:
			return value.Get(name), nil
		case database:
			if method, ok := methods[name]; ok {
				return method(value), nil
			}
			return nil, fmt.Errorf("db.%s is not understood; %s", name, usage)
		case namespace:
			if method, ok := value[name]; ok {
				return method, nil
			}
		}
		return nil, fmt.Errorf(".%s is not understood here; %s", name, usage)
	}
}

func call(of expression, arguments []expression) expression {
	return func(s *session) (any, error) {
		value, err := of(s)
		if err != nil {
			return nil, err
		}
		callee, ok := value.(function)
		if !ok {
			return nil, fmt.Errorf("only functions can be called; %s", usage)
		}
		values := make([]any, len(arguments))
		for i, argument := range arguments {
			if values[i], err = argument(s); err != nil {
				return nil, err
			}
		}
		return callee(s, values)
	}
}

func assign(to expression) expression {
	return func(s *session) (any, error) {
		value, err := to(s)
		if err != nil {
			return nil, err
		}
		chosen, ok := value.(database)
		if !ok {
			return nil, fmt.Errorf("db can only be another database; %s", usage)
		}
		s.database = string(chosen)
		return nil, nil
	}
}

func choose(condition, yes, no expression) expression {
	return func(s *session) (any, error) {
		value, err := condition(s)
		if err != nil {
			return nil, err
		}
		if truthy(value) {
			return yes(s)
		}
		if no == nil {
			return nil, nil
		}
		return no(s)
	}
}

func not(inner expression) expression {
	return func(s *session) (any, error) {
		value, err := inner(s)
		return !truthy(value), err
	}
}

func combine(operator string, left, right expression) expression {
	return func(s *session) (any, error) {
		first, err := left(s)
		if err != nil {
			return nil, err
		}
		if operator == "&&" && !truthy(first) || operator == "||" && truthy(first) {
			return first, nil
		}
		second, err := right(s)
		switch operator {
		case "&&", "||":
			return second, err
		case "===", "==":
			return same(first, second), err
		}
		return !same(first, second), err
	}
}

func truthy(value any) bool {
	if number, ok := asNumber(value); ok {
		return number != 0
	}
	return value != nil && value != false && value != "" && value != wirebson.Null
}

func same(first, second any) bool {
	one, isNumber := asNumber(first)
	other, both := asNumber(second)
	if isNumber && both {
		return one == other
	}
	return fmt.Sprintf("%T%v", first, first) == fmt.Sprintf("%T%v", second, second)
}

func asNumber(value any) (float64, bool) {
	switch value := value.(type) {
	case int32:
		return float64(value), true
	case int64:
		return float64(value), true
	case float64:
		return value, true
	}
	return 0, false
}
