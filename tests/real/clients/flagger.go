package main

import (
	"errors"
	"flag"
	"net/http"
	"strconv"
	"time"

	flaggerv1 "github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
	"github.com/fluxcd/flagger/pkg/canary"
	"github.com/fluxcd/flagger/pkg/controller"
	"github.com/fluxcd/flagger/pkg/metrics/observers"
	"github.com/fluxcd/flagger/pkg/metrics/providers"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Webhook is what both kinds of call carry: the canary's identity and the webhook's settings.
type webhook struct {
	URL       string `json:"url"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Phase     string `json:"phase"`
	Applied   string `json:"applied"`
	Tracked   pairs  `json:"tracked"`
	Metadata  pairs  `json:"metadata"`
	Timeout   string `json:"timeout"`
	Retries   int    `json:"retries"`
}

func (w *webhook) flags(set *flag.FlagSet) {
	set.StringVar(&w.URL, "url", "", "address to call")
	set.StringVar(&w.Name, "name", "", "name of the canary")
	set.StringVar(&w.Namespace, "namespace", "", "namespace of the canary")
	set.StringVar(&w.Phase, "phase", "", "phase of the canary, such as Progressing")
	set.StringVar(&w.Applied, "applied", "", "status.lastAppliedSpec; another one is another revision and checksum")
	set.Var(&w.Tracked, "tracked", "key=value of status.trackedConfigs, may be repeated")
	set.Var(&w.Metadata, "metadata", "key=value, may be repeated")
	set.StringVar(&w.Timeout, "timeout", "", "10s unless told")
	set.IntVar(&w.Retries, "retries", 0, "retries after 429 and 5xx")
}

func (w *webhook) check() error {
	return required("url", w.URL, "name", w.Name, "namespace", w.Namespace, "phase", w.Phase)
}

func (w *webhook) canary() flaggerv1.Canary {
	status := flaggerv1.CanaryStatus{Phase: flaggerv1.CanaryPhase(w.Phase), LastAppliedSpec: w.Applied}
	if w.Tracked != nil {
		status.TrackedConfigs = (*map[string]string)(&w.Tracked)
	}
	return flaggerv1.Canary{
		ObjectMeta: metav1.ObjectMeta{Name: w.Name, Namespace: w.Namespace},
		Status:     status,
	}
}

func (w *webhook) spec(kind flaggerv1.HookType) flaggerv1.CanaryWebhook {
	spec := flaggerv1.CanaryWebhook{Type: kind, Name: "verdict", URL: w.URL, Timeout: w.Timeout, Retries: w.Retries}
	if w.Metadata != nil {
		spec.Metadata = (*map[string]string)(&w.Metadata)
	}
	return spec
}

// Checksum hashes what Flagger's unexported canaryChecksum hashes, by Flagger's exported hash
// (flagger v1.44.0, pkg/controller/webhook.go:144-154). Field names are part of the hash.
func checksum(c flaggerv1.Canary) string {
	return canary.ComputeHash(struct {
		TrackedConfigs  *map[string]string
		LastAppliedSpec string
	}{c.Status.TrackedConfigs, c.Status.LastAppliedSpec})
}

type hookAnswer struct {
	OK       bool    `json:"ok"`
	Error    string  `json:"error"`
	Checksum string  `json:"checksum,omitempty"`
	Seconds  float64 `json:"seconds"`
}

func answered(err error, sum string, began time.Time) hookAnswer {
	return hookAnswer{OK: err == nil, Error: text(err), Checksum: sum, Seconds: time.Since(began).Seconds()}
}

type flaggerHook struct {
	webhook
	Type string `json:"type"`
}

func (h *flaggerHook) flags(set *flag.FlagSet) {
	h.webhook.flags(set)
	set.StringVar(&h.Type, "type", "", "hook type, such as rollout")
}

func (h *flaggerHook) check() error {
	return errors.Join(h.webhook.check(), required("type", h.Type))
}

func (h *flaggerHook) ask() any {
	began, called := time.Now(), h.canary()
	err := controller.CallWebhook(called, flaggerv1.CanaryPhase(h.Phase), h.spec(flaggerv1.HookType(h.Type)))
	return answered(err, checksum(called), began)
}

type flaggerEvent struct {
	webhook
	Message   string `json:"message"`
	EventType string `json:"event_type"`
}

func (e *flaggerEvent) flags(set *flag.FlagSet) {
	e.webhook.flags(set)
	set.StringVar(&e.Message, "message", "", "text of the event")
	set.StringVar(&e.EventType, "event-type", "Normal", "Normal or Warning")
}

func (e *flaggerEvent) ask() any {
	began, called := time.Now(), e.canary()
	err := controller.CallEventWebhook(&called, e.spec(flaggerv1.EventHook), e.Message, e.EventType)
	return answered(err, checksum(called), began)
}

// FlaggerOnline is the question Flagger asks of a metrics server before it trusts it.
type flaggerOnline struct {
	Address  string `json:"address"`
	Headers  pairs  `json:"headers"`
	Token    string `json:"token"`
	Username string `json:"username"`
	Password string `json:"password"`
}

func (o *flaggerOnline) flags(set *flag.FlagSet) {
	set.StringVar(&o.Address, "address", "", "address of the MetricTemplate's provider")
	set.Var(&o.Headers, "header", "key=value, may be repeated")
	set.StringVar(&o.Token, "token", "", "bearer token of the secret")
	set.StringVar(&o.Username, "username", "", "username of the secret")
	set.StringVar(&o.Password, "password", "", "password of the secret")
}

func (o *flaggerOnline) check() error { return required("address", o.Address) }

func (o *flaggerOnline) provider() (*providers.PrometheusProvider, error) {
	spec := flaggerv1.MetricTemplateProvider{Type: "prometheus", Address: o.Address}
	for key, value := range o.Headers {
		if spec.Headers == nil {
			spec.Headers = http.Header{}
		}
		spec.Headers.Set(key, value)
	}
	secret := o.secret()
	if len(secret) > 0 {
		spec.SecretRef = &corev1.LocalObjectReference{Name: "verdict"}
	}
	return providers.NewPrometheusProvider(spec, secret)
}

func (o *flaggerOnline) secret() map[string][]byte {
	secret := map[string][]byte{}
	for key, value := range map[string]string{"token": o.Token, "username": o.Username, "password": o.Password} {
		if value != "" {
			secret[key] = []byte(value)
		}
	}
	return secret
}

func (o *flaggerOnline) ask() any {
	began := time.Now()
	asked, err := o.provider()
	if err == nil {
		_, err = asked.IsOnline()
	}
	return answered(err, "", began)
}

type flaggerMetric struct {
	flaggerOnline
	Query     string `json:"query"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Target    string `json:"target"`
	Service   string `json:"service"`
	Ingress   string `json:"ingress"`
	Route     string `json:"route"`
	Interval  string `json:"interval"`
	Variables pairs  `json:"variables"`
}

func (m *flaggerMetric) flags(set *flag.FlagSet) {
	m.flaggerOnline.flags(set)
	set.StringVar(&m.Query, "query", "", "the MetricTemplate's query, with its template variables")
	set.StringVar(&m.Name, "name", "", "{{ name }}")
	set.StringVar(&m.Namespace, "namespace", "", "{{ namespace }}")
	set.StringVar(&m.Target, "target", "", "{{ target }}")
	set.StringVar(&m.Service, "service", "", "{{ service }}")
	set.StringVar(&m.Ingress, "ingress", "", "{{ ingress }}")
	set.StringVar(&m.Route, "route", "", "{{ route }}")
	set.StringVar(&m.Interval, "interval", "", "{{ interval }}")
	set.Var(&m.Variables, "variable", "key=value of {{ variables.key }}, may be repeated")
}

func (m *flaggerMetric) check() error {
	return errors.Join(m.flaggerOnline.check(), required("query", m.Query))
}

// Metric's value is text, for JSON has no infinity and Flagger compares infinities.
type metric struct {
	OK       bool    `json:"ok"`
	Value    string  `json:"value"`
	NoValues bool    `json:"no_values"`
	Error    string  `json:"error"`
	Query    string  `json:"query"`
	Seconds  float64 `json:"seconds"`
}

func (m *flaggerMetric) ask() any {
	began := time.Now()
	query, value, err := m.measure()
	answer := metric{OK: err == nil, Error: text(err), Query: query, Seconds: time.Since(began).Seconds()}
	answer.NoValues = errors.Is(err, providers.ErrNoValuesFound)
	if err == nil {
		answer.Value = strconv.FormatFloat(value, 'g', -1, 64)
	}
	return answer
}

func (m *flaggerMetric) measure() (string, float64, error) {
	query, err := observers.RenderQuery(m.Query, flaggerv1.MetricTemplateModel{
		Name: m.Name, Namespace: m.Namespace, Target: m.Target, Service: m.Service,
		Ingress: m.Ingress, Route: m.Route, Interval: m.Interval, Variables: m.Variables,
	})
	if err != nil {
		return "", 0, err
	}
	asked, err := m.provider()
	if err != nil {
		return query, 0, err
	}
	value, err := asked.RunQuery(query)
	return query, value, err
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
