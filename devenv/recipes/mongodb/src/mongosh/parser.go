package main

import (
	"fmt"
	"strconv"

	"github.com/FerretDB/wire/wirebson"
)

// expression computes a value; statements are expressions too.
type expression func(*session) (any, error)

type program []expression

// parser understands the part of JavaScript that health checks use: calls, literals, comparisons, a choice.
type parser struct {
	tokens []token
	at     int
}

func parse(source string) (program, error) {
	tokens, err := scan(source)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	var statements program
	for {
		for p.take(";") {
		}
		if p.peek().kind == end {
			return statements, nil
		}
		statement, err := p.statement()
		if err != nil {
			return nil, err
		}
		statements = append(statements, statement)
		if !p.take(";") && !p.peek().newline {
			return nil, p.unexpected()
		}
	}
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) take(wanted string) bool {
	if p.peek().kind == sign && p.peek().text == wanted {
		p.at++
		return true
	}
	return false
}

func (p *parser) unexpected() error {
	if p.peek().kind == end {
		return fmt.Errorf("the expression is incomplete; %s", usage)
	}
	return fmt.Errorf("%q is not understood here; %s", p.peek().text, usage)
}

// statement also knows `use DB`, `db = db.getSiblingDB(...)` and `if (...) ...`.
func (p *parser) statement() (expression, error) {
	one := p.peek()
	if one.kind != word {
		return p.choice()
	}
	second := p.tokens[p.at+1]
	switch {
	case one.text == "if" && second.kind == sign && second.text == "(":
		p.at++
		condition, err := p.unary()
		if err != nil {
			return nil, err
		}
		body, err := p.statement()
		return choose(condition, body, nil), err
	case one.text == "use" && second.kind == word:
		p.at += 2
		return func(s *session) (any, error) { s.database = second.text; return nil, nil }, nil
	case one.text == "db" && second.kind == sign && second.text == "=":
		p.at += 2
		value, err := p.choice()
		return assign(value), err
	}
	return p.choice()
}

func (p *parser) choice() (expression, error) {
	condition, err := p.binary(0)
	if err != nil || !p.take("?") {
		return condition, err
	}
	yes, err := p.choice()
	if err != nil {
		return nil, err
	}
	if !p.take(":") {
		return nil, p.unexpected()
	}
	no, err := p.choice()
	return choose(condition, yes, no), err
}

var levels = [][]string{{"||"}, {"&&"}, {"===", "==", "!==", "!="}}

func (p *parser) binary(level int) (expression, error) {
	if level == len(levels) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	for err == nil {
		operator := ""
		for _, one := range levels[level] {
			if operator == "" && p.take(one) {
				operator = one
			}
		}
		if operator == "" {
			return left, nil
		}
		var right expression
		right, err = p.binary(level + 1)
		left = combine(operator, left, right)
	}
	return nil, err
}

func (p *parser) unary() (expression, error) {
	if p.take("!") {
		inner, err := p.unary()
		return not(inner), err
	}
	value, err := p.primary()
	for err == nil {
		switch {
		case p.take("."):
			name := p.peek()
			if name.kind != word {
				return nil, p.unexpected()
			}
			p.at++
			value = property(value, name.text)
		case p.take("("):
			var arguments []expression
			arguments, err = p.list(")")
			value = call(value, arguments)
		default:
			return value, nil
		}
	}
	return nil, err
}

func (p *parser) primary() (expression, error) {
	one := p.peek()
	p.at++
	switch {
	case one.kind == text:
		return constant(one.text), nil
	case one.kind == number:
		return numeral(one.text)
	case one.kind == word:
		return name(one.text)
	case one.kind == sign && one.text == "-" && p.peek().kind == number:
		p.at++
		return numeral("-" + p.tokens[p.at-1].text)
	case one.kind == sign && one.text == "(":
		inner, err := p.choice()
		if err == nil && !p.take(")") {
			err = p.unexpected()
		}
		return inner, err
	case one.kind == sign && one.text == "{":
		return p.object()
	case one.kind == sign && one.text == "[":
		items, err := p.list("]")
		return array(items), err
	}
	p.at--
	return nil, p.unexpected()
}

func (p *parser) list(closing string) ([]expression, error) {
	var items []expression
	for !p.take(closing) {
		item, err := p.choice()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		if !p.take(",") {
			if p.take(closing) {
				return items, nil
			}
			return nil, p.unexpected()
		}
	}
	return items, nil
}

func (p *parser) object() (expression, error) {
	var names []string
	var values []expression
	for !p.take("}") {
		key := p.peek()
		p.at++
		if key.kind != word && key.kind != text || !p.take(":") {
			p.at--
			return nil, p.unexpected()
		}
		value, err := p.choice()
		if err != nil {
			return nil, err
		}
		names, values = append(names, key.text), append(values, value)
		if !p.take(",") && !(p.peek().kind == sign && p.peek().text == "}") {
			return nil, p.unexpected()
		}
	}
	return object(names, values), nil
}

func numeral(digits string) (expression, error) {
	if whole, err := strconv.ParseInt(digits, 10, 32); err == nil {
		return constant(int32(whole)), nil
	}
	value, err := strconv.ParseFloat(digits, 64)
	return constant(value), err
}

func constant(value any) expression {
	return func(*session) (any, error) { return value, nil }
}

func object(names []string, values []expression) expression {
	return func(s *session) (any, error) {
		document := wirebson.MakeDocument(len(names))
		for i, name := range names {
			value, err := values[i](s)
			if err != nil {
				return nil, err
			}
			if err := document.Add(name, orNull(value)); err != nil {
				return nil, err
			}
		}
		return document, nil
	}
}

func array(items []expression) expression {
	return func(s *session) (any, error) {
		list := wirebson.MakeArray(len(items))
		for _, item := range items {
			value, err := item(s)
			if err != nil {
				return nil, err
			}
			if err := list.Add(orNull(value)); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
}

func orNull(value any) any {
	if value == nil {
		return wirebson.Null
	}
	return value
}
