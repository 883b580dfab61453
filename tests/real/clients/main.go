// Clients drives the real client code of Argo Rollouts and Flagger, so that tests meet what the
// controllers make of an answer rather than what we believe they make of it. Only exported
// functions are called; conditions, retries and checksums are computed upstream.
//
// A question is asked either by flags (`clients argo-web --url U --success 'result == 1'`) or, for
// many questions in one process, by lines of JSON on the standard input of `clients serve-batch`:
// {"command": "argo-web", "fields": {"url": U}}. Each answer is one line of JSON on standard output.
//
// A usage error exits with 64. A panic of the real code is left alone: exit code 2 and "panic:" on
// standard error, as it would end the controller.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
)

const exitUsage = 64

// A question knows its flags and asks itself by way of the real client code.
type question interface {
	flags(*flag.FlagSet)
	check() error
	ask() any
}

var commands = map[string]func() question{
	"argo-web":        func() question { return &argoWeb{} },
	"argo-prometheus": func() question { return &argoPrometheus{} },
	"flagger-hook":    func() question { return &flaggerHook{} },
	"flagger-event":   func() question { return &flaggerEvent{} },
	"flagger-metric":  func() question { return &flaggerMetric{} },
	"flagger-online":  func() question { return &flaggerOnline{} },
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitUsage)
	}
}

func run(arguments []string, in io.Reader, out io.Writer) error {
	if len(arguments) == 0 {
		return fmt.Errorf("usage: clients {%s|serve-batch} [flags]", strings.Join(names(), "|"))
	}
	if arguments[0] == "serve-batch" {
		return serveBatch(in, out)
	}
	asked, err := fromFlags(arguments[0], arguments[1:])
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(asked.ask())
}

func serveBatch(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		asked, err := fromJSON(lines.Bytes())
		if err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(asked.ask()); err != nil {
			return err
		}
	}
	return lines.Err()
}

func fromFlags(command string, arguments []string) (question, error) {
	asked, err := named(command)
	if err != nil {
		return nil, err
	}
	set := flag.NewFlagSet(command, flag.ContinueOnError)
	asked.flags(set)
	if err := set.Parse(arguments); err != nil {
		return nil, err
	}
	if set.NArg() > 0 {
		return nil, fmt.Errorf("%s: unexpected %q", command, set.Args())
	}
	return asked, asked.check()
}

func fromJSON(line []byte) (question, error) {
	var envelope struct {
		Command string          `json:"command"`
		Fields  json.RawMessage `json:"fields"`
	}
	if err := json.Unmarshal(line, &envelope); err != nil {
		return nil, fmt.Errorf("not a question: %w", err)
	}
	asked, err := named(envelope.Command)
	if err != nil {
		return nil, err
	}
	strict := json.NewDecoder(bytes.NewReader(envelope.Fields))
	strict.DisallowUnknownFields()
	if err := strict.Decode(asked); err != nil {
		return nil, fmt.Errorf("%s: %w", envelope.Command, err)
	}
	return asked, asked.check()
}

func named(command string) (question, error) {
	blank, known := commands[command]
	if !known {
		return nil, fmt.Errorf("unknown command %q, expected one of %s", command, strings.Join(names(), ", "))
	}
	return blank(), nil
}

func names() []string {
	all := make([]string, 0, len(commands))
	for name := range commands {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}

// Pairs collects a flag given as key=value any number of times.
type pairs map[string]string

func (p *pairs) String() string { return fmt.Sprint(map[string]string(*p)) }

func (p *pairs) Set(text string) error {
	key, value, found := strings.Cut(text, "=")
	if !found {
		return fmt.Errorf("%q, expected key=value", text)
	}
	if *p == nil {
		*p = pairs{}
	}
	(*p)[key] = value
	return nil
}

// Required names the first of the (flag, value) pairs that has no value.
func required(flags ...string) error {
	for i := 0; i < len(flags); i += 2 {
		if flags[i+1] == "" {
			return errors.New("--" + flags[i] + " is required")
		}
	}
	return nil
}
