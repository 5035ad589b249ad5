package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/FerretDB/wire/wirebson"
)

// dataDir is the locked directory that holds the databases.
type dataDir struct {
	path string
	lock *os.File
}

// openDataDir locks the directory and mends what a kill left half done. Raises an error that says what to do when
// another server uses it, or when it is another product's.
func openDataDir(path string, log *slog.Logger) (*dataDir, error) {
	if _, err := os.Stat(filepath.Join(path, "WiredTiger")); err == nil {
		return nil, fmt.Errorf("%s holds the data of a real mongod, which this stand-in cannot read: give it a volume of "+
			"its own, or run MongoDB's own image", path)
	}
	lock, err := os.OpenFile(filepath.Join(path, "mongod.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: the directory must exist and belong to user %d", err, os.Getuid())
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("%s: another server uses this directory: stop it first", path)
	}
	dir := &dataDir{path: path, lock: lock}
	if err := dir.mend(log); err != nil {
		return nil, err
	}
	return dir, nil
}

// mend brings every database back to a state that FerretDB can load.
func (d *dataDir) mend(log *slog.Logger) error {
	files, err := filepath.Glob(filepath.Join(d.path, "*.sqlite"))
	if err != nil {
		return err
	}
	for _, file := range files {
		mended, err := repair(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, what := range mended {
			log.Warn("Finished what a kill had interrupted", "database", filepath.Base(file), "what", what)
		}
	}
	// A database that was being dropped may have left its journal, which would be taken for that of the next one.
	for _, suffix := range []string{"-wal", "-shm"} {
		journals, _ := filepath.Glob(filepath.Join(d.path, "*.sqlite"+suffix))
		for _, journal := range journals {
			if _, err := os.Stat(strings.TrimSuffix(journal, suffix)); errors.Is(err, os.ErrNotExist) {
				if err := os.Remove(journal); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// initialised tells whether the first start was completed.
func (d *dataDir) initialised() bool {
	_, err := os.Stat(filepath.Join(d.path, "storage.bson"))
	return err == nil
}

// markInitialised writes the file in which mongod notes its storage engine: a real one that is given this directory
// reads it and stops, instead of starting with nothing in it.
func (d *dataDir) markInitialised() error {
	content, err := wirebson.MustDocument("storage", wirebson.MustDocument(
		"engine", "FerretDB-SQLite", "options", wirebson.MustDocument(),
	)).Encode()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(d.path, "storage.bson"), content, 0o600)
}

// publish notes the process and where it listens, for the health check.
func (d *dataDir) publish(address net.Addr) error {
	if err := d.lock.Truncate(0); err != nil {
		return err
	}
	_, err := d.lock.WriteAt(fmt.Appendf(nil, "%d\n%s\n", os.Getpid(), address), 0)
	return err
}

// Close gives the directory free.
func (d *dataDir) Close() error {
	return errors.Join(d.lock.Truncate(0), d.lock.Close())
}
