package aggregation

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/FerretDB/FerretDB/internal/handler/handlerparams"
	"github.com/FerretDB/FerretDB/internal/types"
)

var conversions = map[string]function{
	"$isNumber":   {1, 1, false, func(v []any) (any, error) { _, ok := toFloat(v[0]); return ok, nil }},
	"$toBool":     {1, 1, true, func(v []any) (any, error) { return truthy(v[0]), nil }},
	"$toDate":     {1, 1, true, toDate},
	"$toDouble":   {1, 1, true, toDouble},
	"$toInt":      {1, 1, true, toWhole(func(n int64) (any, bool) { return int32(n), n == int64(int32(n)) })},
	"$toLong":     {1, 1, true, toWhole(func(n int64) (any, bool) { return n, true })},
	"$toObjectId": {1, 1, true, toObjectID},
	"$toString":   {1, 1, true, toString},
	"$type":       {1, 1, false, typeOf},
}

func typeOf(values []any) (any, error) {
	if values[0] == nil {
		return "missing", nil
	}
	return handlerparams.AliasFromType(values[0]), nil
}

func toDouble(values []any) (any, error) {
	switch value := values[0].(type) {
	case string:
		return strconv.ParseFloat(value, 64)
	case bool:
		return float64(boolToInt(value)), nil
	case time.Time:
		return float64(value.UnixMilli()), nil
	}
	if number, ok := toFloat(values[0]); ok {
		return number, nil
	}
	return nil, errors.New("cannot convert to a number")
}

func toWhole(narrow func(int64) (any, bool)) func([]any) (any, error) {
	return func(values []any) (any, error) {
		var number int64
		switch value := values[0].(type) {
		case string:
			var err error
			if number, err = strconv.ParseInt(value, 10, 64); err != nil {
				return nil, fmt.Errorf("failed to parse number %q", value)
			}
		case int64:
			number = value
		default:
			float, err := toDouble(values)
			if err != nil {
				return nil, err
			}
			if math.Abs(float.(float64)) >= 1<<63 {
				return nil, errors.New("conversion would overflow target type")
			}
			number = int64(float.(float64))
		}
		result, fits := narrow(number)
		if !fits {
			return nil, errors.New("conversion would overflow target type")
		}
		return result, nil
	}
}

func toString(values []any) (any, error) {
	switch value := values[0].(type) {
	case string:
		return value, nil
	case bool:
		return strconv.FormatBool(value), nil
	case float64:
		return strconv.FormatFloat(value, 'g', -1, 64), nil
	case int32, int64:
		return fmt.Sprint(value), nil
	case types.ObjectID:
		return hex.EncodeToString(value[:]), nil
	case time.Time:
		return value.UTC().Format("2006-01-02T15:04:05.000Z"), nil
	}
	return nil, errors.New("cannot convert to a string")
}

func toObjectID(values []any) (any, error) {
	switch value := values[0].(type) {
	case types.ObjectID:
		return value, nil
	case string:
		var id types.ObjectID
		if raw, err := hex.DecodeString(value); err == nil && copy(id[:], raw) == len(id) && len(raw) == len(id) {
			return id, nil
		}
	}
	return nil, errors.New("requires 24 hexadecimal digits")
}

func toDate(values []any) (any, error) {
	switch value := values[0].(type) {
	case time.Time:
		return value, nil
	case types.ObjectID:
		seconds := int64(value[0])<<24 | int64(value[1])<<16 | int64(value[2])<<8 | int64(value[3])
		return time.Unix(seconds, 0).UTC(), nil
	case int64:
		return time.UnixMilli(value).UTC(), nil
	case float64:
		return time.UnixMilli(int64(value)).UTC(), nil
	case string:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999", "2006-01-02 15:04:05", time.DateOnly} {
			if parsed, err := time.Parse(layout, value); err == nil {
				return parsed.UTC().Truncate(time.Millisecond), nil
			}
		}
	}
	return nil, errors.New("cannot convert to a date")
}

// keyOf is equal for values that are equal to mongod, such as 1 and 1.0.
func keyOf(value any) string {
	if number, ok := toFloat(value); ok {
		return "n" + strconv.FormatFloat(number, 'g', -1, 64)
	}
	var inner []string
	switch value := value.(type) {
	case *types.Document:
		for _, name := range value.Keys() {
			field, _ := value.Get(name)
			inner = append(inner, strconv.Quote(name)+":"+keyOf(field))
		}
		return "{" + strings.Join(inner, ",") + "}"
	case *types.Array:
		for _, item := range items(value) {
			inner = append(inner, keyOf(item))
		}
		return "[" + strings.Join(inner, ",") + "]"
	case string:
		return strconv.Quote(value)
	}
	return fmt.Sprintf("%T%v", value, value)
}
