package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/FerretDB/wire/wirebson"
)

// healthcheck writes one document and reads it back, so that a full disk or a lost password is seen.
func healthcheck() error {
	where := target{host: "127.0.0.1", port: publishedPort(), authDatabase: "admin"}
	var err error
	if where.user, err = credential("USERNAME"); err != nil {
		return err
	}
	if where.password, err = credential("PASSWORD"); err != nil {
		return err
	}
	c, err := connect(where)
	var refused serverError
	if errors.As(err, &refused) {
		return fmt.Errorf("%w: MONGO_INITDB_ROOT_* count at the first start only, later they must match what the volume has", err)
	}
	if err != nil {
		return err
	}
	defer c.Close()
	now := time.Now().Truncate(time.Millisecond)
	_, err = c.command("local", wirebson.MustDocument(
		"update", "healthcheck", "updates", wirebson.MustArray(wirebson.MustDocument(
			"q", wirebson.MustDocument("_id", "healthcheck"),
			"u", wirebson.MustDocument("$set", wirebson.MustDocument("at", now)),
			"upsert", true,
		)),
	))
	if errors.As(err, &refused) && refused.code == "Unauthorized" {
		_, err = c.command("admin", wirebson.MustDocument("ping", int32(1)))
		fmt.Println("up; it wants a password: set MONGO_INITDB_ROOT_USERNAME and _PASSWORD to have the check write")
		return err
	}
	if err != nil {
		return err
	}
	answer, err := c.command("local", wirebson.MustDocument(
		"find", "healthcheck", "filter", wirebson.MustDocument("_id", "healthcheck", "at", now), "singleBatch", true,
	))
	if err != nil {
		return err
	}
	batch, _ := answer.Get("cursor").(*wirebson.Document).Get("firstBatch").(*wirebson.Array)
	if batch.Len() != 1 {
		return errors.New("the document that was written is not there")
	}
	return nil
}

// publishedPort is what the server noted in its lock file, so that --port needs no second mention.
func publishedPort() string {
	content, err := os.ReadFile("/data/db/mongod.lock")
	if err == nil {
		if lines := strings.Split(string(content), "\n"); len(lines) > 1 {
			if _, port, err := net.SplitHostPort(lines[1]); err == nil {
				return port
			}
		}
	}
	return "27017"
}

func credential(suffix string) (string, error) {
	for _, prefix := range []string{"MONGO_INITDB_ROOT_", "MONGODB_INITDB_ROOT_"} {
		if value := os.Getenv(prefix + suffix); value != "" {
			return value, nil
		}
		if file := os.Getenv(prefix + suffix + "_FILE"); file != "" {
			content, err := os.ReadFile(file)
			return strings.TrimRight(string(content), "\n"), err
		}
	}
	return "", nil
}
