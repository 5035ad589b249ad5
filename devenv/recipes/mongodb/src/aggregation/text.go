package aggregation

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/FerretDB/FerretDB/internal/types"
)

var errStrings = errors.New("requires strings")

var text = map[string]function{
	"$concat":      {0, -1, true, concat},
	"$indexOfCP":   {2, 2, true, words(func(w []string) any { return position(w[0], w[1]) })},
	"$ltrim":       {1, 1, false, trim(strings.TrimLeft)},
	"$regexMatch":  {1, 1, true, regexMatch},
	"$replaceAll":  {1, 1, true, replace(-1)},
	"$replaceOne":  {1, 1, true, replace(1)},
	"$rtrim":       {1, 1, false, trim(strings.TrimRight)},
	"$split":       {2, 2, true, split},
	"$strLenBytes": {1, 1, false, words(func(w []string) any { return int32(len(w[0])) })},
	"$strLenCP":    {1, 1, false, words(func(w []string) any { return int32(utf8.RuneCountInString(w[0])) })},
	"$strcasecmp":  {2, 2, false, words(func(w []string) any { return int32(strings.Compare(strings.ToUpper(w[0]), strings.ToUpper(w[1]))) })},
	"$substr":      {3, 3, false, substring},
	"$substrBytes": {3, 3, false, substring},
	"$substrCP":    {3, 3, false, substring},
	"$toLower":     {1, 1, false, words(func(w []string) any { return strings.ToLower(w[0]) })},
	"$toUpper":     {1, 1, false, words(func(w []string) any { return strings.ToUpper(w[0]) })},
	"$trim":        {1, 1, false, trim(strings.Trim)},
}

// words runs on strings; null and a missing value count as the empty one, as in mongod's case functions.
func words(run func([]string) any) func([]any) (any, error) {
	return func(values []any) (any, error) {
		texts := make([]string, len(values))
		for i, value := range values {
			var ok bool
			if texts[i], ok = value.(string); !ok && !isNull(value) {
				return nil, errStrings
			}
		}
		return run(texts), nil
	}
}

func concat(values []any) (any, error) {
	return words(func(w []string) any { return strings.Join(w, "") })(values)
}

func position(haystack, needle string) any {
	at := strings.Index(haystack, needle)
	if at < 0 {
		return int32(-1)
	}
	return int32(utf8.RuneCountInString(haystack[:at]))
}

func split(values []any) (any, error) {
	return words(func(w []string) any {
		parts := types.MakeArray(0)
		for _, part := range strings.Split(w[0], w[1]) {
			parts.Append(part)
		}
		return parts
	})(values)
}

// substring counts code points; for ASCII text these are bytes too.
func substring(values []any) (any, error) {
	source, ok := values[0].(string)
	if !ok && !isNull(values[0]) {
		return nil, errStrings
	}
	start, isNumber := toFloat(values[1])
	length, both := toFloat(values[2])
	if !isNumber || !both || start < 0 {
		return nil, errors.New("requires a start and a length")
	}
	runes := []rune(source)
	from := min(int(start), len(runes))
	if length < 0 {
		return string(runes[from:]), nil
	}
	return string(runes[from:min(from+int(length), len(runes))]), nil
}

func part(operand any, name string) (string, bool) {
	document, ok := operand.(*types.Document)
	if !ok {
		return "", false
	}
	value, _ := document.Get(name)
	found, ok := value.(string)
	return found, ok
}

func trim(run func(string, string) string) func([]any) (any, error) {
	return func(values []any) (any, error) {
		input, ok := part(values[0], "input")
		if !ok {
			return types.Null, nil
		}
		chars, ok := part(values[0], "chars")
		if !ok {
			chars = " \t\r\n\v\f\x00"
		}
		return run(input, chars), nil
	}
}

func replace(count int) func([]any) (any, error) {
	return func(values []any) (any, error) {
		input, one := part(values[0], "input")
		find, two := part(values[0], "find")
		by, three := part(values[0], "replacement")
		if !one || !two || !three {
			return types.Null, nil
		}
		return strings.Replace(input, find, by, count), nil
	}
}

func regexMatch(values []any) (any, error) {
	input, ok := part(values[0], "input")
	if !ok {
		return false, nil
	}
	regex := types.Regex{}
	if pattern, ok := part(values[0], "regex"); ok {
		regex.Pattern = pattern
	} else if given, err := values[0].(*types.Document).Get("regex"); err == nil {
		regex, _ = given.(types.Regex)
	}
	if options, ok := part(values[0], "options"); ok {
		regex.Options = options
	}
	compiled, err := regex.Compile()
	if err != nil {
		return nil, err
	}
	return compiled.MatchString(input), nil
}
