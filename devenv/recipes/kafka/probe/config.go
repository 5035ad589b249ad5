package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
)

// Where the launcher writes what it made of the environment; the second is for a read-only root.
var configFiles = []string{"/opt/kafka/config/server.properties", "/tmp/kafka/server.properties"}

type target struct {
	address  string
	protocol string
	user     string
	password string
}

type settings map[string]string

func loadSettings() (settings, error) {
	for _, name := range configFiles {
		file, err := os.Open(name)
		if err != nil {
			continue
		}
		defer file.Close()
		found := settings{}
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			line := strings.TrimSpace(lines.Text())
			if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
				found[strings.TrimSpace(key)] = strings.TrimSpace(value)
			}
		}
		return found, lines.Err()
	}
	return nil, errors.New("no server.properties yet: the broker has not started")
}

// controllerOnly says that this node serves no clients.
func (s settings) controllerOnly() bool { return strings.TrimSpace(s["process.roles"]) == "controller" }

// target chooses the listener that is easiest to ask: without a password if there is one.
func (s settings) target() (target, error) {
	protocols := map[string]string{}
	for _, entry := range strings.Split(s["listener.security.protocol.map"], ",") {
		if name, protocol, ok := strings.Cut(strings.TrimSpace(entry), ":"); ok {
			protocols[name] = protocol
		}
	}
	controllers := "," + strings.ReplaceAll(s["controller.listener.names"], " ", "") + ","
	listeners := s["listeners"]
	if listeners == "" {
		listeners = "PLAINTEXT://:9092"
	}
	var best target
	for _, entry := range strings.Split(listeners, ",") {
		name, address, ok := strings.Cut(strings.TrimSpace(entry), "://")
		if !ok || strings.Contains(controllers, ","+name+",") != s.controllerOnly() {
			continue
		}
		found := target{address: reachable(address), protocol: protocols[name]}
		if found.protocol == "" {
			found.protocol = name
		}
		found.user, found.password = s.credentials(name)
		if best.address == "" || rank(found) < rank(best) {
			best = found
		}
	}
	if best.address == "" {
		return best, fmt.Errorf("no listener to ask in listeners=%s", listeners)
	}
	return best, nil
}

func rank(t target) int {
	switch {
	case t.protocol == "PLAINTEXT":
		return 0
	case t.protocol == "SASL_PLAINTEXT" && t.user != "":
		return 1
	case t.protocol == "SSL":
		return 2
	case t.user != "":
		return 3
	}
	return 4
}

func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

var jaasUser = regexp.MustCompile(`\buser_([\w.-]+)\s*=\s*"([^"]*)"`)

// credentials takes a user out of the listener's own JAAS line: what the broker accepts, the probe may use.
func (s settings) credentials(listener string) (user, password string) {
	for _, key := range []string{
		"listener.name." + strings.ToLower(listener) + ".plain.sasl.jaas.config",
		"plain.sasl.jaas.config", "sasl.jaas.config",
	} {
		if match := jaasUser.FindStringSubmatch(s[key]); match != nil {
			return match[1], match[2]
		}
	}
	return "", ""
}
