// The state: settings of the model and choices of the view.  The URL's fragment holds what
// differs from the defaults, so that a link is short and names what was changed.

const VIEW_MARK = "~";
const LONGEST_FRAGMENT = 20000;
const LONGEST_LIST = 8;

function makeState(engine, model, viewDefaults) {
  const defaults = engine.defaults();
  const controls = new Map(model.controls.map((control) => [control.key, control]));
  let settings = { ...defaults };
  let view = { ...viewDefaults.values };
  const listeners = [];
  let writing = 0;
  let written = location.hash;

  function changed(reason) {
    for (const listener of listeners) listener(reason);
  }

  function isDefault(key) {
    return Object.is(settings[key], defaults[key]);
  }

  function fragment() {
    const parts = [];
    for (const key of Object.keys(defaults)) {
      if (!isDefault(key)) parts.push(`${encodeURIComponent(key)}=${encodeURIComponent(settings[key])}`);
    }
    for (const [key, value] of Object.entries(view)) {
      if (value !== viewDefaults.values[key]) {
        parts.push(`${VIEW_MARK}${key}=${encodeURIComponent(value)}`);
      }
    }
    return parts.join("&");
  }

  // Browsers refuse more than some hundred changes of the address within seconds.
  function write() {
    if (writing) return;
    writing = setTimeout(() => {
      writing = 0;
      const text = fragment();
      written = text ? `#${text}` : "";
      try {
        history.replaceState(null, "", written || location.href.split("#")[0]);
      } catch {
        // A page in a frame without an address of its own has no link to keep.
      }
    }, 250);
  }

  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return null;
    }
  }

  // What a fragment says, and the parts of it that say nothing.
  function read(hash) {
    const text = hash.replace(/^#/, "");
    const wanted = {};
    const wantedView = {};
    const refused = [];
    if (text.length > LONGEST_FRAGMENT) return { wanted, wantedView, refused: ["all of it: too long"] };
    for (const part of text.split("&").filter(Boolean)) {
      const at = part.indexOf("=");
      const name = at < 0 ? null : decoded(part.slice(0, at));
      const value = at < 0 ? null : decoded(part.slice(at + 1));
      if (name === null || value === null) refused.push(part);
      else if (name.startsWith(VIEW_MARK)) {
        const key = name.slice(VIEW_MARK.length);
        if (viewDefaults.allows(key, value)) wantedView[key] = value;
        else refused.push(part);
      } else if (controls.has(name)) {
        const x = parsed(value);
        if (x === null) refused.push(part);
        else wanted[name] = x;
      } else refused.push(part);
    }
    return { wanted, wantedView, refused };
  }

  function restore(hash) {
    const { wanted, wantedView, refused } = read(hash);
    const checked = engine.checked({ ...defaults, ...wanted });
    settings = { ...defaults, ...checked.settings };
    view = { ...viewDefaults.values, ...wantedView };
    written = hash;
    const dropped = [...refused];
    for (const key of Object.keys(wanted)) {
      if (settings[key] !== wanted[key]) dropped.push(`${key}=${wanted[key]} (${rangeOf(controls.get(key))})`);
    }
    changed("restore");
    return dropped;
  }

  return {
    defaults,
    controls,
    isDefault,
    fragment,
    restore,
    get settings() {
      return settings;
    },
    get view() {
      return view;
    },
    // Whether an address is one that this page wrote itself.
    isOwn: (hash) => hash === written,
    allDefault: () => Object.keys(defaults).every(isDefault),
    onChange: (listener) => listeners.push(listener),
    set(key, value) {
      if (Object.is(settings[key], value)) return;
      settings = { ...settings, [key]: value };
      write();
      changed("settings");
    },
    choose(key, value) {
      if (view[key] === value) return;
      view = { ...view, [key]: value };
      write();
      changed("view");
    },
    reset() {
      settings = { ...defaults };
      view = { ...viewDefaults.values };
      write();
      changed("restore");
    },
    link() {
      const text = fragment();
      return location.href.split("#")[0] + (text ? `#${text}` : "");
    },
  };
}

// The values that a control has.
function rangeOf(control) {
  if (control.choices) return `one of ${control.choices.join(", ")}`;
  return `${control.scale === "integer" ? "a whole number " : ""}from ${shown(control.min)} to ${shown(control.max)}`;
}

// At most a few of them, each cut short: a link may hold anything.
function listed(parts) {
  const few = parts.slice(0, LONGEST_LIST).map((part) => (part.length > 120 ? `${part.slice(0, 120)}…` : part));
  if (parts.length > LONGEST_LIST) few.push(`and ${parts.length - LONGEST_LIST} more`);
  return few.join(", ");
}
