/** What other scripts of the pages put into the window: Dash, and Plotly as assets/explore/plot-queue.mjs hands it on. */

interface DashClientside {
  no_update: unknown;
  callback_context: { triggered_id: string };
  set_props(id: string, props: Record<string, unknown>): void;
  [namespace: string]: any;
}

interface Window {
  dash_clientside: DashClientside;
  Plotly: any;
}

interface Document {
  addEventListener(kind: "pointerrawupdate", listener: (event: PointerEvent) => void, capture?: boolean): void;
}
