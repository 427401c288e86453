// A page that plays JupyterLab's part: a model for each widget, and a bridge to Python.
window.toBytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
window.toText = (view) => {
  const bytes = new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
};
window.models = new Map();
window.put = (state, paths, buffers) => {
  paths.forEach((path, i) => {
    let at = state;
    for (const key of path.slice(0, -1)) at = at[key];
    at[path.at(-1)] = new DataView(window.toBytes(buffers[i]).buffer);
  });
  return state;
};
class Model {
  constructor(id, state) { this.id = id; this.state = state; this.heard = new Map(); this.changed = {}; }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    this.changed[name] = value;
    this.tell(`change:${name}`);
  }
  on(name, handler) { this.heard.set(name, [...(this.heard.get(name) ?? []), handler]); }
  off(name, handler) {
    this.heard.set(name, handler ? (this.heard.get(name) ?? []).filter((h) => h !== handler) : []);
  }
  tell(name, ...values) { for (const handler of this.heard.get(name) ?? []) handler(...values); }
  listeners() { return [...this.heard.values()].reduce((n, list) => n + list.length, 0); }
  async say(method, data, buffers = []) {
    window.deliver(await window.toPython(this.id, method, JSON.stringify(data), buffers.map(window.toText)));
  }
  save_changes() { const changed = this.changed; this.changed = {}; return this.say("update", changed); }
  send(content, callbacks, buffers = []) { this.say("custom", content, buffers); }
  hear({ data, buffers }) {
    if (data.method === "update") {
      const state = window.put(data.state, data.buffer_paths ?? [], buffers);
      Object.assign(this.state, state);
      for (const name of Object.keys(state)) this.tell(`change:${name}`);
    } else if (data.method === "custom") {
      this.tell("msg:custom", data.content, buffers.map((b) => new DataView(window.toBytes(b).buffer)));
    }
  }
}
window.deliver = (messages) => { for (const m of messages) window.models.get(m.id)?.hear(m); };
window.mount = async (id, state, paths, buffers) => {
  const model = new Model(id, window.put(state, paths, buffers));
  window.models.set(id, model);
  const address = URL.createObjectURL(new Blob([state._esm], { type: "text/javascript" }));
  const { default: view } = await import(address);
  const style = document.createElement("style");
  style.textContent = state._css ?? "";
  document.head.append(style);
  const el = document.createElement("div");
  el.id = `w-${id}`;
  document.getElementById("here").append(el);
  const ended = new AbortController();
  model.end = () => ended.abort();
  await view.initialize?.({ model, signal: ended.signal });
  await view.render({ model, el, signal: ended.signal });
};
void (async () => {
  for (;;) {
    window.deliver(await window.toPython("", "poll", "{}", []));
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
})();
