{{- define "firedamp.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "firedamp.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "firedamp.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "firedamp.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "firedamp.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "firedamp.selector" -}}
app.kubernetes.io/name: {{ include "firedamp.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "firedamp.labels" -}}
{{ include "firedamp.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "firedamp.image" -}}
{{- with .Values.image }}
{{- if .registry }}{{ .registry }}/{{ end }}{{ .repository }}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{- define "firedamp.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "firedamp.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- /* Whether anything is asked of the Kubernetes API: only then the pods have a token. */}}
{{- define "firedamp.asksKubernetes" -}}
{{- if or .Values.kubernetes.events .Values.kubernetes.endings }}true{{ else }}false{{ end }}
{{- end }}

{{- /* The least rights that do. */}}
{{- define "firedamp.rules" -}}
{{- $verbs := list "list" }}
{{- if .Values.kubernetes.events }}
{{- $verbs = list "get" "list" }}
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end }}
- apiGroups: [argoproj.io]
  resources: [rollouts]
  verbs: {{ toJson $verbs }}
- apiGroups: [flagger.app]
  resources: [canaries]
  verbs: {{ toJson $verbs }}
{{- end }}

{{- define "firedamp.tokenSecret" -}}
{{- default (printf "%s-tokens" (include "firedamp.fullname" .)) .Values.auth.existingSecret }}
{{- end }}

{{- define "firedamp.config" -}}
{{- if and .Values.config .Values.configText }}
{{- fail "config and configText are two ways to say the same: give one of them" }}
{{- end }}
{{- if .Values.configText }}{{ .Values.configText }}{{ else }}{{ toYaml .Values.config }}{{ end }}
{{- end }}

{{- /* The store's address; a password never stands in it. */}}
{{- define "firedamp.storeUrl" -}}
{{- if eq .Values.store.type "sqlite" -}}
sqlite:////data/firedamp.db
{{- else }}
{{- with .Values.store.postgresql -}}
postgresql://{{ .user }}@{{ .host }}:{{ .port }}/{{ .database }}
{{- end }}
{{- end }}
{{- end }}

{{- define "firedamp.tokenFiles" -}}
{{- $tokens := .Values.auth.tokens }}
{{- if not .Values.auth.existingSecret }}
{{- $tokens = dict "controllers" "token" "flagger" "flagger-path" "people" "admin" }}
{{- end }}
{{- $files := dict }}
{{- range $name, $key := $tokens }}
{{- $_ := set $files $name (printf "/var/run/secrets/firedamp/tokens/%s" $key) }}
{{- end }}
{{- toJson $files }}
{{- end }}

{{- define "firedamp.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.securityContext.runAsUser }}
runAsGroup: {{ .Values.securityContext.runAsGroup }}
fsGroup: {{ .Values.securityContext.fsGroup }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "firedamp.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
