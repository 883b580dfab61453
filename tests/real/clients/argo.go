package main

import (
	"encoding/json"
	"errors"
	"flag"
	"time"

	"github.com/argoproj/argo-rollouts/metricproviders/prometheus"
	"github.com/argoproj/argo-rollouts/metricproviders/webmetric"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	log "github.com/sirupsen/logrus"
)

// Argo is what both providers of Argo Rollouts take.
type argo struct {
	Success string `json:"success"`
	Failure string `json:"failure"`
	Headers pairs  `json:"headers"`
	Timeout int64  `json:"timeout_seconds"`
}

func (a *argo) flags(set *flag.FlagSet) {
	set.StringVar(&a.Success, "success", "", "successCondition")
	set.StringVar(&a.Failure, "failure", "", "failureCondition")
	set.Var(&a.Headers, "header", "key=value, may be repeated")
	set.Int64Var(&a.Timeout, "timeout-seconds", 0, "0 takes the provider's own default")
}

func (a *argo) metric(provider v1alpha1.MetricProvider) v1alpha1.Metric {
	return v1alpha1.Metric{
		Name:             "verdict",
		SuccessCondition: a.Success,
		FailureCondition: a.Failure,
		Provider:         provider,
	}
}

func (a *argo) webHeaders() []v1alpha1.WebMetricHeader {
	var headers []v1alpha1.WebMetricHeader
	for key, value := range a.Headers {
		headers = append(headers, v1alpha1.WebMetricHeader{Key: key, Value: value})
	}
	return headers
}

// Measurement is what an AnalysisRun's status would hold, and how long it took.
type measurement struct {
	Phase    string            `json:"phase"`
	Value    string            `json:"value"`
	Message  string            `json:"message"`
	Metadata map[string]string `json:"metadata"`
	Seconds  float64           `json:"seconds"`
}

type provider interface {
	Run(*v1alpha1.AnalysisRun, v1alpha1.Metric) v1alpha1.Measurement
}

// Measure asks a provider; one that cannot be made is a measurement in error, as in the
// controller's own loop (argo-rollouts v1.10.1, analysis/analysis.go:335-347).
func measure(metric v1alpha1.Metric, make func(v1alpha1.Metric) (provider, error)) measurement {
	began := time.Now()
	var seen v1alpha1.Measurement
	if asked, err := make(metric); err != nil {
		seen = v1alpha1.Measurement{Phase: v1alpha1.AnalysisPhaseError, Message: err.Error()}
	} else {
		seen = asked.Run(&v1alpha1.AnalysisRun{}, metric)
	}
	return measurement{
		Phase:    string(seen.Phase),
		Value:    seen.Value,
		Message:  seen.Message,
		Metadata: seen.Metadata,
		Seconds:  time.Since(began).Seconds(),
	}
}

type argoWeb struct {
	argo
	URL      string          `json:"url"`
	Method   string          `json:"method"`
	Body     string          `json:"body"`
	JSONBody json.RawMessage `json:"json_body"`
	JSONPath string          `json:"json_path"`
}

func (w *argoWeb) flags(set *flag.FlagSet) {
	w.argo.flags(set)
	set.StringVar(&w.URL, "url", "", "address to ask")
	set.StringVar(&w.Method, "method", "", "GET unless told")
	set.StringVar(&w.Body, "body", "", "raw body")
	set.Func("json-body", "body as JSON", func(text string) error {
		w.JSONBody = json.RawMessage(text)
		return nil
	})
	set.StringVar(&w.JSONPath, "json-path", "", "{$} unless told")
}

func (w *argoWeb) check() error {
	if w.JSONBody != nil && !json.Valid(w.JSONBody) {
		return errors.New("--json-body is no JSON")
	}
	return required("url", w.URL)
}

func (w *argoWeb) ask() any {
	web := &v1alpha1.WebMetric{
		URL:            w.URL,
		Method:         v1alpha1.WebMetricMethod(w.Method),
		Body:           w.Body,
		JSONBody:       w.JSONBody,
		JSONPath:       w.JSONPath,
		TimeoutSeconds: w.Timeout,
		Headers:        w.webHeaders(),
	}
	return measure(w.metric(v1alpha1.MetricProvider{Web: web}), newWebProvider)
}

func newWebProvider(metric v1alpha1.Metric) (provider, error) {
	client, err := webmetric.NewWebMetricHttpClient(metric)
	if err != nil {
		return nil, err
	}
	parser, err := webmetric.NewWebMetricJsonParser(metric)
	if err != nil {
		return nil, err
	}
	return webmetric.NewWebMetricProvider(*log.NewEntry(log.StandardLogger()), client, parser), nil
}

type argoPrometheus struct {
	argo
	Address string `json:"address"`
	Query   string `json:"query"`
}

func (p *argoPrometheus) flags(set *flag.FlagSet) {
	p.argo.flags(set)
	set.StringVar(&p.Address, "address", "", "address of the Prometheus")
	set.StringVar(&p.Query, "query", "", "PromQL")
}

func (p *argoPrometheus) check() error {
	return required("address", p.Address, "query", p.Query)
}

func (p *argoPrometheus) ask() any {
	asked := &v1alpha1.PrometheusMetric{Address: p.Address, Query: p.Query, Headers: p.webHeaders()}
	if p.Timeout > 0 {
		asked.Timeout = &p.Timeout
	}
	return measure(p.metric(v1alpha1.MetricProvider{Prometheus: asked}), newPrometheusProvider)
}

func newPrometheusProvider(metric v1alpha1.Metric) (provider, error) {
	api, err := prometheus.NewPrometheusAPI(metric)
	if err != nil {
		return nil, err
	}
	return prometheus.NewPrometheusProvider(api, *log.NewEntry(log.StandardLogger()), metric)
}
