// Asks a broker a question in milliseconds, where a Java tool would take a second. By its name it is
// `devenv-healthcheck` (is this broker serving?), or it answers the plainest forms of two of Kafka's own tools.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

func main() {
	var err error
	name := filepath.Base(os.Args[0])
	switch {
	case name == "devenv-healthcheck" && len(os.Args) == 1:
		err = health()
	case name == "kafka-probe" && len(os.Args) == 3 && os.Args[1] == "api-versions":
		err = eachServer(os.Args[2], printAPIVersions)
	case name == "kafka-probe" && len(os.Args) == 3 && os.Args[1] == "topics":
		err = eachServer(os.Args[2], printTopics)
	default:
		err = fmt.Errorf("usage: devenv-healthcheck | kafka-probe api-versions SERVERS | kafka-probe topics SERVERS")
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// health asks the broker beside it for the cluster's metadata: it must be registered, unfenced, and see a controller.
func health() error {
	config, err := loadSettings()
	if err != nil {
		return err
	}
	at, err := config.target()
	if err != nil {
		return err
	}
	c, err := dial(at.address, strings.HasSuffix(at.protocol, "SSL"))
	if err != nil {
		return err
	}
	defer c.Close()
	if strings.HasPrefix(at.protocol, "SASL_") && at.user != "" {
		if err := c.login(at.user, at.password); err != nil {
			return err
		}
	} else if strings.HasPrefix(at.protocol, "SASL_") || config.controllerOnly() {
		// No credentials that this check could use, or no client interface: a broker answers this one before login.
		_, err := c.apiVersions()
		return err
	}
	found, err := c.metadata(false)
	if err != nil {
		return err
	}
	if found.controller < 0 {
		return fmt.Errorf("the cluster has no controller yet")
	}
	for _, one := range found.brokers {
		if id := config["node.id"]; id == "" || id == fmt.Sprint(one.id) {
			return nil
		}
	}
	return fmt.Errorf("broker %s is not registered yet", config["node.id"])
}

// eachServer tries the bootstrap servers in turn until one answers.
func eachServer(servers string, ask func(*connection) error) error {
	var err error
	for _, server := range strings.Split(servers, ",") {
		var c *connection
		if c, err = dial(server, false); err != nil {
			continue
		}
		err = ask(c)
		c.Close()
		if err == nil {
			return nil
		}
	}
	return err
}

func printAPIVersions(c *connection) error {
	found, err := c.metadata(false)
	if err != nil {
		return err
	}
	if len(found.brokers) == 0 {
		return fmt.Errorf("no broker is registered yet")
	}
	for _, one := range found.brokers {
		peer, err := dial(fmt.Sprintf("%s:%d", one.host, one.port), false)
		if err != nil {
			return err
		}
		ranges, err := peer.apiVersions()
		peer.Close()
		if err != nil {
			return err
		}
		rack := one.rack
		if rack == "" {
			rack = "null"
		}
		lines := make([]string, 0, len(ranges))
		for _, api := range ranges {
			lines = append(lines, fmt.Sprintf("\t%s(%d): %d to %d", apiName(api.key), api.key, api.lowest, api.highest))
		}
		fmt.Printf("%s:%d (id: %d rack: %s) -> (\n%s\n)\n", one.host, one.port, one.id, rack, strings.Join(lines, ",\n"))
	}
	return nil
}

func printTopics(c *connection) error {
	found, err := c.metadata(true)
	if err != nil {
		return err
	}
	sort.Strings(found.topics)
	for _, topic := range found.topics {
		fmt.Println(topic)
	}
	return nil
}
