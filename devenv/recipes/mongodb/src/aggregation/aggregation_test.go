package aggregation

import (
	"context"
	"testing"

	mongobson "go.mongodb.org/mongo-driver/bson"

	"github.com/FerretDB/wire/wirebson"

	"github.com/FerretDB/FerretDB/internal/bson"
	"github.com/FerretDB/FerretDB/internal/types"
)

// document reads MongoDB's extended JSON.
func document(t *testing.T, text string) *types.Document {
	t.Helper()
	var ordered mongobson.D
	if err := mongobson.UnmarshalExtJSON([]byte(text), false, &ordered); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	raw, err := mongobson.Marshal(ordered)
	if err != nil {
		t.Fatal(err)
	}
	converted, err := bson.ToDocument(wirebson.RawDocument(raw))
	if err != nil {
		t.Fatal(err)
	}
	return converted
}

const sample1 = `{"_id": 1, "n": 3, "s": "Ab", "l": [1, 2, "x"], "o": {"q": [{"z": 1}, {"z": 5}]}, "d": {"$date": "2026-01-31T14:07:09.123Z"}}`

func TestExpressionsComputeWhatMongodDoes(t *testing.T) {
	for expression, want := range map[string]string{
		`"$o.q.z"`:                       `[1, 5]`,
		`{"$add": ["$n", 1, 2]}`:         `6`,
		`{"$add": ["$n", 1.5]}`:          `4.5`,
		`{"$add": [2147483647, 1]}`:      `{"$numberLong": "2147483648"}`,
		`{"$add": ["$n", "$missing"]}`:   `null`,
		`{"$subtract": ["$d", "$d"]}`:    `{"$numberLong": "0"}`,
		`{"$divide": ["$n", 2]}`:         `1.5`,
		`{"$concat": ["$s", "-", "c"]}`:  `"Ab-c"`,
		`{"$substrCP": ["héllo", 1, 3]}`: `"éll"`,
		`{"$size": {"$filter": {"input": "$l", "as": "i", "cond": {"$isNumber": "$$i"}}}}`:            `2`,
		`{"$reduce": {"input": [1, 2], "initialValue": "$n", "in": {"$add": ["$$value", "$$this"]}}}`: `6`,
		`{"$cond": [{"$gte": ["$n", 3]}, "yes", "no"]}`:                                               `"yes"`,
		`{"$ifNull": ["$missing", "$s"]}`:                                                             `"Ab"`,
		`{"$switch": {"branches": [{"case": false, "then": 1}], "default": 2}}`:                       `2`,
		`{"$eq": [1, 1.0]}`:                             `true`,
		`{"$lt": [5, "a"]}`:                             `true`,
		`{"$in": ["x", "$l"]}`:                          `true`,
		`{"$setUnion": [[1, 2], [2.0, 3]]}`:             `[1, 2, 3]`,
		`{"$literal": "$n"}`:                            `"$n"`,
		`{"$mergeObjects": [{"a": 1}, null, {"a": 2}]}`: `{"a": 2}`,
		`{"$dateToString": {"date": "$d", "format": "%Y-%m-%d %H:%M", "timezone": "Asia/Tokyo"}}`: `"2026-01-31 23:07"`,
		`{"$dateAdd": {"startDate": "$d", "unit": "month", "amount": 1}}`:                         `{"$date": "2026-02-28T14:07:09.123Z"}`,
		`{"$dateTrunc": {"date": "$d", "unit": "day"}}`:                                           `{"$date": "2026-01-31T00:00:00Z"}`,
		`{"$toInt": "12"}`:      `12`,
		`{"$type": "$missing"}`: `"missing"`,
	} {
		specification, _ := document(t, `{"v": `+expression+`}`).Get("v")
		run, err := compile(specification)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		got, err := run(scope{root: document(t, sample1)})
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		wanted, _ := document(t, `{"v": `+want+`}`).Get("v")
		if types.FormatAnyValue(orNull(got)) != types.FormatAnyValue(wanted) || keyOf(orNull(got)) != keyOf(wanted) {
			t.Errorf("%s: got %s, want %s", expression, types.FormatAnyValue(orNull(got)), want)
		}
	}
}

func TestAnUnknownExpressionIsRefused(t *testing.T) {
	for _, expression := range []string{`{"$zip": {}}`, `{"$add": 1, "$abs": 2}`, `{"$cmp": [1]}`, `{"$cond": [1]}`, `"$a..b"`} {
		specification, _ := document(t, `{"v": `+expression+`}`).Get("v")
		if _, err := compile(specification); err == nil {
			t.Errorf("%s was accepted", expression)
		}
	}
}

func TestStagesTransformDocuments(t *testing.T) {
	Register()
	input := []string{
		`{"_id": 1, "k": "a", "n": 1, "l": [1, 2], "o": {"p": 1, "r": 2}}`,
		`{"_id": 2, "k": "b", "n": 2.5, "l": [], "o": {"p": 2}}`,
		`{"_id": 3, "k": "a", "n": 4}`,
	}
	others := []string{`{"_id": 10, "ref": "a"}`, `{"_id": 11, "ref": ["b", "c"]}`}
	for stages, want := range map[string]string{
		`{"$group": {"_id": "$k", "sum": {"$sum": "$n"}, "n": {"$count": {}}, "avg": {"$avg": "$n"}, "ids": {"$push": "$_id"}, "top": {"$max": "$n"}}}`: `
			[{"_id": "a", "sum": 5, "n": 2, "avg": 2.5, "ids": [1, 3], "top": 4}, {"_id": "b", "sum": 2.5, "n": 1, "avg": 2.5, "ids": [2], "top": 2.5}]`,
		`{"$project": {"_id": 0, "name": "$k", "o.p": 1}}`:                  `[{"o": {"p": 1}, "name": "a"}, {"o": {"p": 2}, "name": "b"}, {"name": "a"}]`,
		`{"$project": {"l": 0, "o": 0, "n": 0}}`:                            `[{"_id": 1, "k": "a"}, {"_id": 2, "k": "b"}, {"_id": 3, "k": "a"}]`,
		`{"$project": {"_id": 0, "twice": {"$multiply": ["$n", 2]}}}`:       `[{"twice": 2}, {"twice": 5.0}, {"twice": 8}]`,
		`{"$unwind": "$l"}, {"$project": {"_id": 0, "l": 1}}`:               `[{"l": 1}, {"l": 2}]`,
		`{"$set": {"o.p": "$n", "k": "$$REMOVE"}}, {"$match": {"_id": 3}}`:  `[{"_id": 3, "n": 4, "o": {"p": 4}}]`,
		`{"$match": {"_id": 1}}, {"$replaceRoot": {"newRoot": "$o"}}`:       `[{"p": 1, "r": 2}]`,
		`{"$sortByCount": "$k"}`:                                            `[{"_id": "a", "count": 2}, {"_id": "b", "count": 1}]`,
		`{"$match": {"$expr": {"$gt": ["$n", 2]}}}, {"$project": {"n": 1}}`: `[{"_id": 2, "n": 2.5}, {"_id": 3, "n": 4}]`,
		`{"$facet": {"c": [{"$count": "n"}]}}`:                              `[{"c": [{"n": 3}]}]`,
		`{"$unionWith": "others"}, {"$count": "n"}`:                         `[{"n": 5}]`,
		`{"$match": {"_id": {"$lt": 3}}}, {"$lookup": {"from": "others", "localField": "k", "foreignField": "ref", "as": "x"}}, {"$project": {"x._id": 1}}`: `
			[{"_id": 1, "x": [{"_id": 10}]}, {"_id": 2, "x": [{"_id": 11}]}]`,
		`{"$match": {"_id": 1}}, {"$lookup": {"from": "others", "let": {"k": "$k"}, "pipeline": [{"$match": {"$expr": {"$eq": ["$ref", "$$k"]}}}], "as": "x"}}, {"$project": {"x": 1}}`: `
			[{"_id": 1, "x": [{"_id": 10, "ref": "a"}]}]`,
	} {
		specification, _ := document(t, `{"v": [`+stages+`]}`).Get("v")
		run, err := pipeline(specification.(*types.Array))
		if err != nil {
			t.Errorf("%s: %v", stages, err)
			continue
		}
		ctx := WithSource(context.Background(), func(context.Context, string) ([]*types.Document, error) { return all(t, others), nil })
		got, err := run(ctx, all(t, input))
		if err != nil {
			t.Errorf("%s: %v", stages, err)
			continue
		}
		wanted, _ := document(t, `{"v": `+want+`}`).Get("v")
		if types.FormatAnyValue(documentsArray(got)) != types.FormatAnyValue(wanted) {
			t.Errorf("%s: got %s", stages, types.FormatAnyValue(documentsArray(got)))
		}
	}
}

func all(t *testing.T, texts []string) []*types.Document {
	documents := make([]*types.Document, len(texts))
	for i, text := range texts {
		documents[i] = document(t, text)
	}
	return documents
}
