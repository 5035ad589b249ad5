package main

import "sync"

// access says what a command does to its database.
type access int

const (
	none access = iota // nothing
	read
	write // one at a time
	drop  // alone
)

// locks makes single-document writes atomic: FerretDB reads, changes and writes back, so two writers at once would
// lose one of two increments. SQLite has one writer at a time anyway, so this costs no throughput, and nobody is told
// that the database is locked. Dropping waits for the readers, whose open files would outlive the database.
type locks struct {
	mutex sync.Mutex
	of    map[string]*databaseLock
}

type databaseLock struct {
	users  sync.RWMutex
	writer sync.Mutex
}

func newLocks() *locks { return &locks{of: map[string]*databaseLock{}} }

// take waits for the database and returns what gives it free.
func (l *locks) take(database string, wanted access) (release func()) {
	if wanted == none {
		return func() {}
	}
	l.mutex.Lock()
	lock := l.of[database]
	if lock == nil {
		lock = new(databaseLock)
		l.of[database] = lock
	}
	l.mutex.Unlock()

	if wanted == drop {
		lock.users.Lock()
		return lock.users.Unlock
	}
	lock.users.RLock()
	if wanted == read {
		return lock.users.RUnlock
	}
	lock.writer.Lock()
	return func() {
		lock.writer.Unlock()
		lock.users.RUnlock()
	}
}
