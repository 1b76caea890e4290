// The types of a dashboard's JSON: those of @grafana/schema, and own ones, with the reason, for what it lacks.
import type * as G from "@grafana/schema";
import type * as AnnotationsList from "@grafana/schema/dist/esm/raw/composable/annotationslist/panelcfg/x/AnnotationsListPanelCfg_types.gen";
import type * as BarGauge from "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen";
import type * as Gauge from "@grafana/schema/dist/esm/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen";
import type * as Heatmap from "@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type * as Logs from "@grafana/schema/dist/esm/raw/composable/logs/panelcfg/x/LogsPanelCfg_types.gen";
import type * as PieChart from "@grafana/schema/dist/esm/raw/composable/piechart/panelcfg/x/PieChartPanelCfg_types.gen";
import type * as Stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as StateTimeline from "@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen";
import type * as Table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as Text from "@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen";
import type * as TimeSeries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// No fields. Not {}, because TypeScript allows any field there.
type None = Record<string, never>;
type Anything = Record<string, unknown>;

// T as JSON: string enums become their strings.
type Json<T> = T extends string
  ? `${T}`
  : T extends (infer U)[]
    ? Json<U>[]
    : T extends object
      ? { [K in keyof T]: Json<T[K]> }
      : T;

// The same, with optional fields that Grafana fills in. Objects with a type field stay complete: it determines their other fields.
type Filled<T> = T extends string | unknown[] | { type: unknown }
  ? Json<T>
  : T extends object
    ? { [K in keyof T]?: Filled<T[K]> }
    : T;

// Panel type: [its options, the custom options of its fields].
interface Panels extends Untyped {
  annolist: [AnnotationsList.Options, None];
  bargauge: [BarGauge.Options, None];
  gauge: [Gauge.Options, None];
  heatmap: [Heatmap.Options, Heatmap.FieldConfig];
  logs: [Logs.Options, None];
  piechart: [PieChart.Options, PieChart.FieldConfig];
  stat: [Stat.Options, None];
  "state-timeline": [StateTimeline.Options, StateTimeline.FieldConfig];
  table: [Table.Options, Table.FieldConfig];
  text: [Text.Options, None];
  timeseries: [TimeSeries.Options, TimeSeries.FieldConfig];
}

// Panel types whose options are not checked, each with the reason.
interface Untyped {
  "grafana-clock-panel": [Anything, None]; // a plugin
  alertlist: [Anything, None]; // its types are in Grafana's own source, not in @grafana/schema
}

// The schema says unknown[]: the links of a field.
interface DataLink {
  title: string;
  url: string;
  targetBlank?: boolean;
  oneClick?: boolean;
}

type Field<T extends keyof Panels> = Json<Omit<G.FieldConfig, "custom" | "links">> & {
  custom?: Filled<Panels[T][1]>;
  links?: DataLink[];
};

export type Panel<T extends keyof Panels | "row"> = T extends keyof Panels
  ? Json<Omit<G.Panel, "type" | "options" | "fieldConfig" | "targets" | "links">> & {
      type: T;
      options?: Filled<Panels[T][0]>;
      fieldConfig?: {
        defaults: Field<T>;
        overrides: { matcher: Json<G.MatcherConfig>; properties: object[] }[]; // Override
      };
      targets?: object[]; // Target
      links?: Partial<Json<G.DashboardLink>>[]; // the schema demands all that a dashboard's link has
    }
  : T extends "row"
    ? Json<Omit<G.RowPanel, "panels">> & { panels: object[] } // Panel
    : object; // the type itself is reported as an error

// The type at a dotted path such as "custom.lineWidth"; never if there is no such field.
type At<T, Path> = Path extends keyof T
  ? NonNullable<T[Path]>
  : Path extends `${infer K}.${infer Rest}`
    ? K extends keyof T
      ? At<NonNullable<T[K]>, Rest>
      : never
    : never;

export type Override<T extends keyof Panels, Id extends string> = [At<Field<T>, Id>] extends [never]
  ? { id: `a field of a ${T}`; value?: unknown }
  : { id: Id; value?: At<Field<T>, Id> };

// @grafana/schema has no types for these queries: Loki's were removed in 13.2, Prometheus's are in @grafana/prometheus, which
// depends on React and Monaco, and Jaeger's are in its plugin.
interface Prometheus extends G.DataQuery {
  expr: string;
  editorMode?: "code" | "builder";
  exemplar?: boolean;
  format?: "time_series" | "table" | "heatmap";
  instant?: boolean;
  range?: boolean;
  interval?: string;
  intervalFactor?: number;
  legendFormat?: string;
}

interface Loki extends G.DataQuery {
  expr: string;
  queryType?: "instant" | "range" | "stream";
  direction?: "backward" | "forward" | "scan";
  editorMode?: "code" | "builder";
  legendFormat?: string;
  maxLines?: number;
  step?: string;
}

interface Jaeger extends G.DataQuery {
  queryType?: "search" | "upload" | "dependencyGraph"; // if absent, query is a trace id
  query?: string;
  service?: string;
  operation?: string;
  tags?: string;
  minDuration?: string;
  maxDuration?: string;
  limit?: number;
}

interface Queries {
  prometheus: Prometheus;
  loki: Loki;
  jaeger: Jaeger;
}

export type Target<T extends keyof Queries> = Json<Queries[T]>;

// Annotations of Prometheus and Loki: these fields are beside the target and not in the schema.
interface Wording {
  expr?: string;
  step?: string;
  titleFormat?: string;
  textFormat?: string;
  tagKeys?: string;
  useValueForTime?: boolean;
}

interface Annotations {
  grafana: { target?: Anything };
  prometheus: Wording & { target?: Prometheus };
  loki: Wording & { target?: Loki };
}

export type Annotation<T extends keyof Annotations> = Json<Omit<G.AnnotationQuery, "target"> & Annotations[T]>;

// Grafana writes these fields too, but the schema omits them.
interface Variable extends G.VariableModel {
  definition?: string;
  auto?: boolean;
  auto_count?: number;
  auto_min?: string;
}

export type Dashboard = Json<Omit<G.Dashboard, "panels" | "annotations" | "templating">> & {
  panels?: object[]; // Panel
  annotations?: { list?: object[] }; // Annotation
  templating?: { list?: Json<Variable>[] };
};
