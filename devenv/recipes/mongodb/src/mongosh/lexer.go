package main

import (
	"fmt"
	"strings"
	"unicode"
)

type kind int

const (
	end kind = iota
	word
	number
	text
	sign
)

type token struct {
	kind    kind
	text    string
	newline bool // whether it begins a line
}

var signs = []string{"===", "!==", "==", "!=", "&&", "||", "(", ")", "{", "}", "[", "]", ",", ":", ";", ".", "?", "!", "=", "-"}

// scan splits a script into tokens; comments go.
func scan(source string) ([]token, error) {
	var tokens []token
	newline := true
	for rest := source; ; {
		trimmed := strings.TrimLeftFunc(rest, unicode.IsSpace)
		newline = newline || strings.Contains(rest[:len(rest)-len(trimmed)], "\n")
		rest = trimmed
		switch {
		case rest == "":
			return append(tokens, token{kind: end, newline: true}), nil
		case strings.HasPrefix(rest, "//"):
			_, rest, _ = strings.Cut(rest, "\n")
			newline = true
			continue
		case strings.HasPrefix(rest, "/*"):
			_, rest, _ = strings.Cut(rest, "*/")
			continue
		}
		one, length, err := next(rest)
		if err != nil {
			return nil, err
		}
		one.newline, newline = newline, false
		tokens = append(tokens, one)
		rest = rest[length:]
	}
}

func next(rest string) (token, int, error) {
	first := rune(rest[0])
	switch {
	case first == '"' || first == '\'' || first == '`':
		return quoted(rest)
	case unicode.IsDigit(first):
		length := strings.IndexFunc(rest+" ", func(r rune) bool { return !unicode.IsDigit(r) && r != '.' && r != 'e' })
		return token{kind: number, text: rest[:length]}, length, nil
	case unicode.IsLetter(first) || first == '_' || first == '$':
		length := strings.IndexFunc(rest+" ", func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '$'
		})
		return token{kind: word, text: rest[:length]}, length, nil
	}
	for _, one := range signs {
		if strings.HasPrefix(rest, one) {
			return token{kind: sign, text: one}, len(one), nil
		}
	}
	return token{}, 0, fmt.Errorf("%.20q is not understood; %s", rest, usage)
}

func quoted(rest string) (token, int, error) {
	var content strings.Builder
	for i := 1; i < len(rest); i++ {
		switch {
		case rest[i] == rest[0]:
			if rest[0] == '`' && strings.Contains(content.String(), "${") {
				return token{}, 0, fmt.Errorf("templates with ${...} are not understood; %s", usage)
			}
			return token{kind: text, text: content.String()}, i + 1, nil
		case rest[i] == '\\' && i+1 < len(rest):
			i++
			if at := strings.IndexByte("ntr", rest[i]); at >= 0 {
				content.WriteByte("\n\t\r"[at])
			} else {
				content.WriteByte(rest[i])
			}
		default:
			content.WriteByte(rest[i])
		}
	}
	return token{}, 0, fmt.Errorf("a quote %c is not closed", rest[0])
}
