//! The shape that a value in a body must have, read from the schema in the API document.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::value_rules::{self, NumberRule, TextRule};

/// The shape that a value must have.
#[derive(Clone)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    /// A valid value, used where a required one is missing.
    stand_in: Value,
}

#[derive(Clone)]
pub(super) enum Kind {
    Anything,
    Bool,
    Integer(Option<NumberRule>),
    Text(Option<TextRule>),
    /// An upstream's id: a text or a whole number.
    Id(Option<TextRule>),
    /// One of these texts.
    Words(Vec<String>),
    /// The id from the path.
    OwnId(String),
    List {
        entry: Arc<Shape>,
        most: usize,
    },
    /// Any keys, each with a value of the same shape.
    Map(Arc<Shape>),
    Object {
        fields: BTreeMap<String, Field>,
        others: bool,
    },
}

#[derive(Clone)]
pub(super) struct Field {
    pub(super) shape: Arc<Shape>,
    pub(super) required: bool,
}

pub(super) static ANYTHING: Shape = Shape { kind: Kind::Anything, nullable: true, stand_in: Value::Null };

/// The longest list that is read where the document gives no maximum.
const LONGEST_LIST: usize = 10_000;

impl Shape {
    /// The shape of a type's schema. It is computed once and cached.
    pub(super) fn of<T: ToSchema + 'static>() -> Arc<Self> {
        static SHAPES: LazyLock<Mutex<HashMap<TypeId, Arc<Shape>>>> = LazyLock::new(Mutex::default);
        let mut shapes = SHAPES.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shapes.entry(TypeId::of::<T>()).or_insert_with(|| {
            let mut components = Vec::new();
            T::schemas(&mut components);
            let to_json = |schema| serde_json::to_value(schema).unwrap_or_default();
            let components = components.into_iter().map(|(name, schema)| (name, to_json(schema))).collect();
            Arc::new(Self::read(&to_json(T::schema()), &components))
        }))
    }

    pub(super) fn plain(kind: Kind) -> Self {
        Self { kind, nullable: false, stand_in: Value::Null }
    }

    /// An object's shape with one more field.
    pub(super) fn with_field(&self, name: &str, shape: Self, required: bool) -> Self {
        let mut own = self.clone();
        if let Kind::Object { fields, .. } = &mut own.kind {
            fields.insert(name.to_owned(), Field { shape: Arc::new(shape), required });
        }
        own
    }

    fn read(schema: &Value, components: &Map<String, Value>) -> Self {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            return Self::named(name, components);
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let mut others = choices.iter().filter(|choice| choice["type"] != "null");
            return match (others.next(), others.next()) {
                (Some(only), None) => Self::read(only, components).or_null(),
                _ => ANYTHING.clone(),
            };
        }
        let is = |name: &str| match &schema["type"] {
            Value::Array(names) => names.iter().any(|own| own == name),
            own => own == name,
        };
        let format = schema["format"].as_str().and_then(value_rules::format);
        let (kind, stand_in) = if let Some(words) = schema["enum"].as_array().filter(|_| is("string")) {
            let words: Vec<String> = words.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            let first = json!(words.first());
            (Kind::Words(words), first)
        } else if is("string") && is("integer") {
            (Kind::Id(None), json!("x"))
        } else if is("string") {
            (Kind::Text(format), json!("x"))
        } else if is("integer") {
            (Kind::Integer(None), json!(1))
        } else if is("boolean") {
            (Kind::Bool, json!(false))
        } else if is("array") {
            (list(schema, components), json!([]))
        } else if is("object") {
            object(schema, components)
        } else {
            (Kind::Anything, Value::Null)
        };
        let shape = Self { kind, nullable: false, stand_in };
        if is("null") { shape.or_null() } else { shape }
    }

    /// The shape of a named schema. Some have rules that a schema cannot express.
    fn named(name: &str, components: &Map<String, Value>) -> Self {
        let schema = components.get(name).unwrap_or(&Value::Null);
        let mut shape = Self::read(schema, components);
        shape.kind = match (value_rules::text(name), value_rules::number(name)) {
            // OneFile shows its ids as numbers.
            (Some(rule), _) if name == "OneFileId" => Kind::Id(Some(rule)),
            (Some(rule), _) => Kind::Text(Some(rule)),
            (_, Some(rule)) => Kind::Integer(Some(rule)),
            (None, None) => return shape,
        };
        shape.stand_in = schema["examples"][0].clone();
        shape
    }

    fn or_null(mut self) -> Self {
        self.nullable = true;
        self.stand_in = Value::Null;
        self
    }

    /// A value that replaces a faulty one, so that the rest can be read.
    pub(super) fn stand_in(&self) -> Value {
        self.stand_in.clone()
    }

    /// The shape of a field; `None` when there is no such field.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Object { fields, others } => match fields.get(name) {
                Some(field) => Some(&field.shape),
                None => others.then_some(&ANYTHING),
            },
            Kind::Map(entry) => Some(entry),
            _ => Some(&ANYTHING),
        }
    }

    fn fields(&self) -> impl Iterator<Item = (&String, &Field)> {
        let fields = if let Kind::Object { fields, .. } = &self.kind { Some(fields) } else { None };
        fields.into_iter().flatten()
    }

    /// The field names of an object.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields().map(|(name, _)| name.as_str())
    }

    /// The fields that an object must have.
    pub(super) fn required(&self) -> impl Iterator<Item = (&String, &Field)> {
        self.fields().filter(|(_, field)| field.required)
    }

    /// The expected type, as words for a message.
    pub(super) fn noun(&self) -> &'static str {
        match self.kind {
            Kind::Anything => "any value",
            Kind::Bool => "true or false",
            Kind::Integer(_) => "a whole number",
            Kind::Text(_) | Kind::Words(_) | Kind::OwnId(_) => "a string",
            Kind::Id(_) => "a string or a whole number",
            Kind::List { .. } => "an array",
            Kind::Map(_) | Kind::Object { .. } => "an object",
        }
    }
}

fn list(schema: &Value, components: &Map<String, Value>) -> Kind {
    let most = schema["maxItems"].as_u64().and_then(|most| most.try_into().ok());
    let entry = Arc::new(Shape::read(&schema["items"], components));
    Kind::List { entry, most: most.unwrap_or(LONGEST_LIST) }
}

fn object(schema: &Value, components: &Map<String, Value>) -> (Kind, Value) {
    let others = &schema["additionalProperties"];
    if schema["properties"].is_null() && others != &json!(false) {
        let entry = if others.is_object() { Shape::read(others, components) } else { ANYTHING.clone() };
        return (Kind::Map(Arc::new(entry)), json!({}));
    }
    let mut stand_in = Map::new();
    let mut fields = BTreeMap::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let required = schema["required"].as_array().is_some_and(|names| names.iter().any(|own| own == name));
        let mut shape = Shape::read(property, components);
        if required {
            stand_in.insert(name.clone(), shape.stand_in());
        } else if matches!(shape.kind, Kind::List { .. }) {
            // A null list counts as empty.
            shape = shape.or_null();
        }
        fields.insert(name.clone(), Field { shape: Arc::new(shape), required });
    }
    (Kind::Object { fields, others: others != &json!(false) }, Value::Object(stand_in))
}
