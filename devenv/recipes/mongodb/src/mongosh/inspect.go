package main

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/FerretDB/wire/wirebson"
)

// A document that fits stays on one line, as in the shell.
const lineWidth = 72

// inspect words a value as the shell does: { ok: 1, at: ISODate('...') }.
func inspect(value any, indent string) string {
	switch value := value.(type) {
	case *wirebson.Document:
		fields := make([]string, 0, value.Len())
		for name, field := range value.All() {
			fields = append(fields, key(name)+": "+inspect(field, indent+"  "))
		}
		return enclose("{", fields, "}", indent)
	case *wirebson.Array:
		items := make([]string, 0, value.Len())
		for item := range value.Values() {
			items = append(items, inspect(item, indent+"  "))
		}
		return enclose("[", items, "]", indent)
	case string:
		if indent == "" {
			return value
		}
		return "'" + strings.ReplaceAll(value, "'", `\'`) + "'"
	case database:
		return string(value)
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	case int64:
		return fmt.Sprintf("Long('%d')", value)
	case time.Time:
		return "ISODate('" + value.UTC().Format("2006-01-02T15:04:05.000Z") + "')"
	case wirebson.ObjectID:
		return fmt.Sprintf("ObjectId('%x')", value[:])
	case wirebson.Binary:
		return fmt.Sprintf("Binary.createFromBase64('%s', %d)", base64.StdEncoding.EncodeToString(value.B), value.Subtype)
	case wirebson.NullType:
		return "null"
	}
	return fmt.Sprint(value)
}

func key(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !strings.ContainsRune("_$", r) && !isWord(r) }) {
		return "'" + name + "'"
	}
	return name
}

func isWord(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}

func enclose(opening string, parts []string, closing, indent string) string {
	if len(parts) == 0 {
		return opening + closing
	}
	line := opening + " " + strings.Join(parts, ", ") + " " + closing
	if len(line) <= lineWidth && !strings.Contains(line, "\n") {
		return line
	}
	inner := "\n" + indent + "  "
	return opening + inner + strings.Join(parts, ","+inner) + "\n" + indent + closing
}
