package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/FerretDB/wire"
	"github.com/FerretDB/wire/wirebson"
)

// indexOptions keeps what FerretDB does not about an index: after how long documents expire, and that documents
// without its fields are not in it. SQLite's unique indexes let several rows without a value in as it is.
type indexOptions struct {
	path  string
	mutex sync.Mutex
	of    map[indexName]*wirebson.Document
}

type indexName struct{ database, collection, name string }

func openIndexOptions(directory string) (*indexOptions, error) {
	store := &indexOptions{path: filepath.Join(directory, "index-options.bson"), of: map[indexName]*wirebson.Document{}}
	content, err := os.ReadFile(store.path)
	if errors.Is(err, os.ErrNotExist) {
		return store, nil
	}
	if err != nil {
		return nil, err
	}
	document, err := wirebson.RawDocument(content).DecodeDeep()
	if err != nil {
		return nil, err
	}
	entries, _ := document.Get("indexes").(*wirebson.Array)
	for _, entry := range documentsOf(collect(entries)) {
		name := indexName{text(entry, "database"), text(entry, "collection"), text(entry, "name")}
		store.of[name], _ = entry.Get("options").(*wirebson.Document)
	}
	return store, nil
}

func text(document *wirebson.Document, field string) string {
	value, _ := document.Get(field).(string)
	return value
}

func (o *indexOptions) get(name indexName) *wirebson.Document {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if found := o.of[name]; found != nil {
		return found
	}
	return wirebson.MakeDocument(0)
}

// set keeps the options of an index, or forgets them when there are none. It returns once they are on the disk.
func (o *indexOptions) set(name indexName, options *wirebson.Document) error {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if options.Len() == 0 && o.of[name] == nil {
		return nil
	}
	if delete(o.of, name); options.Len() > 0 {
		o.of[name] = options
	}
	entries := wirebson.MakeArray(len(o.of))
	for name, options := range o.of {
		entry := wirebson.MustDocument("database", name.database, "collection", name.collection, "name", name.name,
			"options", options)
		if err := entries.Add(entry); err != nil {
			return err
		}
	}
	content, err := wirebson.MustDocument("indexes", entries).Encode()
	if err != nil {
		return err
	}
	return replaceFile(o.path, content)
}

func (o *indexOptions) all() map[indexName]*wirebson.Document {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	copied := make(map[indexName]*wirebson.Document, len(o.of))
	for name, options := range o.of {
		copied[name] = options
	}
	return copied
}

func replaceFile(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// createIndexes takes the options out of the command that FerretDB would refuse or forget, and keeps them.
func (o *indexOptions) createIndexes(inner run) run {
	return func(ctx context.Context, asked *request) (*wire.OpMsg, error) {
		specifications, rest, err := asked.statements("indexes")
		if err != nil {
			return nil, err
		}
		kept := map[indexName]*wirebson.Document{}
		for i, specification := range specifications {
			raw, ok := specification.(wirebson.AnyDocument)
			if !ok {
				return inner(ctx, asked)
			}
			decoded, err := raw.Decode()
			if err != nil {
				return nil, err
			}
			specifications[i] = decoded
			name := indexName{asked.database, text(asked.document, asked.name), text(decoded, "name")}
			if kept[name], err = takeOptions(decoded); err != nil {
				return nil, err
			}
		}
		changed, err := asked.part(rest, "indexes", specifications)
		if err != nil {
			return nil, err
		}
		reply, err := inner(ctx, changed)
		if err != nil {
			return nil, err
		}
		answer, err := reply.RawSection0().Decode()
		if err != nil {
			return nil, err
		}
		existed := answer.Get("numIndexesBefore") == answer.Get("numIndexesAfter")
		for name, options := range kept {
			if existed && !sameOptions(o.get(name), options) {
				return failed(85, "IndexOptionsConflict", "An equivalent index already exists with the same name but different "+
					"options: "+name.name)
			}
			if err := o.set(name, options); err != nil {
				return nil, err
			}
		}
		return reply, nil
	}
}

// takeOptions removes the options that are kept here. Of partial indexes only those are understood that leave out
// documents without a field of the key, since that is what SQLite does.
func takeOptions(specification *wirebson.Document) (*wirebson.Document, error) {
	taken := wirebson.MakeDocument(0)
	for _, option := range []string{"expireAfterSeconds", "sparse", "partialFilterExpression"} {
		value := specification.Get(option)
		if value == nil || value == false {
			continue
		}
		if raw, ok := value.(wirebson.AnyDocument); ok {
			key, _ := specification.Get("key").(wirebson.AnyDocument)
			if !leavesOutMissing(raw, key) {
				continue
			}
			decoded, err := wirebsonDeep(raw)
			if err != nil {
				return nil, err
			}
			value = decoded
		}
		if err := taken.Add(option, value); err != nil {
			return nil, err
		}
		specification.Remove(option)
	}
	specification.Remove("v")
	return taken, nil
}

// leavesOutMissing tells whether a partial filter is {field: {$exists: true}} for fields of the key.
func leavesOutMissing(filter, key wirebson.AnyDocument) bool {
	if filter == nil || key == nil {
		return false
	}
	conditions, err := wirebsonDeep(filter)
	fields, second := key.Decode()
	if err != nil || second != nil || conditions.Len() == 0 {
		return false
	}
	for field, condition := range conditions.All() {
		exists, ok := condition.(*wirebson.Document)
		if !ok || exists.Len() != 1 || exists.Get("$exists") != true || fields.Get(field) == nil {
			return false
		}
	}
	return true
}

func wirebsonDeep(document wirebson.AnyDocument) (*wirebson.Document, error) {
	raw, err := document.Encode()
	if err != nil {
		return nil, err
	}
	return raw.DecodeDeep()
}

func sameOptions(one, other *wirebson.Document) bool {
	first, err := one.Encode()
	second, alsoErr := other.Encode()
	return err == nil && alsoErr == nil && string(first) == string(second)
}

// listIndexes adds the options to FerretDB's answer.
func (o *indexOptions) listIndexes(inner run) run {
	return func(ctx context.Context, asked *request) (*wire.OpMsg, error) {
		reply, err := inner(ctx, asked)
		if err != nil {
			return nil, err
		}
		answer, err := reply.RawSection0().DecodeDeep()
		if err != nil {
			return nil, err
		}
		cursor, _ := answer.Get("cursor").(*wirebson.Document)
		batch, _ := cursor.Get("firstBatch").(*wirebson.Array)
		for _, index := range documentsOf(collect(batch)) {
			options := o.get(indexName{asked.database, text(asked.document, asked.name), text(index, "name")})
			for option, value := range options.All() {
				if err := index.Add(option, value); err != nil {
					return nil, err
				}
			}
		}
		return wire.NewOpMsg(answer)
	}
}
