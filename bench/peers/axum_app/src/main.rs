//! The linear model behind axum: axum_app FOLDER PORT, where FOLDER holds the unpacked artifact
//! (docs/formats/artifact_linear.md). Keeps connections, checks no signatures, one process with a thread per core.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{header, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use serde_json::Value;
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BACKLOG: u32 = 4096;

/// What a field of a row adds to the output.
enum Column {
    Numeric { mean: f64, scale: f64, weight: f64 },
    Categorical(HashMap<Vec<u8>, f64>),
}

struct Model {
    columns: Vec<Column>,
    bias: f64,
    clip: f64,
    threshold: f64,
    labels: [String; 2], // as JSON
}

/// The F64 arrays of a safetensors file, flat.
fn arrays(blob: &[u8]) -> Result<HashMap<String, Vec<f64>>, Box<dyn Error>> {
    let size = u64::from_le_bytes(blob.get(..8).ok_or("no header")?.try_into()?) as usize;
    let head: HashMap<String, Value> =
        serde_json::from_slice(blob.get(8..8 + size).ok_or("short header")?)?;
    let mut out = HashMap::new();
    for (name, about) in head.iter().filter(|(name, _)| *name != "__metadata__") {
        let at = |i: usize| Some(8 + size + about["data_offsets"][i].as_u64()? as usize);
        let (begin, end) = at(0).zip(at(1)).ok_or("no offsets")?;
        let bytes = blob.get(begin..end).ok_or("short file")?;
        out.insert(
            name.clone(),
            bytes
                .chunks_exact(8)
                .map(|b| f64::from_le_bytes(b.try_into().unwrap()))
                .collect(),
        );
    }
    Ok(out)
}

impl Model {
    fn load(folder: &Path) -> Result<Model, Box<dyn Error>> {
        let model: Value = serde_json::from_slice(&std::fs::read(folder.join("model.json"))?)?;
        let schema: Value = serde_json::from_slice(&std::fs::read(folder.join("schema.json"))?)?;
        let arrays = arrays(&std::fs::read(folder.join("model.safetensors"))?)?;
        let array = |name: &str| arrays.get(name).ok_or(format!("no array {name}"));
        let (weight, mean, scale) = (array("weight")?, array("mean")?, array("scale")?);
        let (mut number, mut category) = (0, mean.len()); // numeric features come first
        let mut columns = Vec::new();
        for column in schema["columns"].as_array().ok_or("no columns")? {
            columns.push(match column["categories"].as_array() {
                None => {
                    number += 1;
                    Column::Numeric {
                        mean: mean[number - 1],
                        scale: scale[number - 1],
                        weight: weight[number - 1],
                    }
                }
                Some(names) => {
                    let first = category;
                    category += names.len();
                    let names = names
                        .iter()
                        .map(|name| name.as_str().unwrap_or_default().as_bytes().to_vec());
                    Column::Categorical(
                        names.zip(weight[first..category].iter().copied()).collect(),
                    )
                }
            });
        }
        let clip = model["clip"].as_f64().unwrap_or(0.0);
        Ok(Model {
            columns,
            bias: array("bias")?[0],
            clip: if clip == 0.0 { f64::INFINITY } else { clip },
            threshold: model["threshold"].as_f64().ok_or("no threshold")?,
            labels: [0, 1].map(|i| match &schema["label"]["classes"][i] {
                Value::Null => i.to_string(),
                name => name.to_string(),
            }),
        })
    }

    /// The answer to a row of CSV; None where it is not as wide as the table, or a number is none.
    fn answer(&self, row: &[u8]) -> Option<String> {
        let mut fields = row.trim_ascii_end().split(|byte| *byte == b',');
        let mut output = self.bias;
        for column in &self.columns {
            let field = fields.next()?;
            output += match column {
                Column::Numeric {
                    mean,
                    scale,
                    weight,
                } => {
                    let value: f64 = std::str::from_utf8(field).ok()?.parse().ok()?;
                    weight * ((value - mean) * scale).clamp(-self.clip, self.clip)
                }
                Column::Categorical(weights) => weights.get(field).copied().unwrap_or(0.0),
            };
        }
        if fields.next().is_some() {
            return None;
        }
        let score = (1.0 / (1.0 + (-output).exp())) as f32;
        let label = &self.labels[usize::from(output >= self.threshold)];
        Some(format!(
            "{{\"predictions\":[{{\"score\":{score},\"predicted_label\":{label}}}]}}"
        ))
    }
}

async fn invoke(State(model): State<Arc<Model>>, body: Bytes) -> Response {
    match model.answer(&body) {
        Some(answer) => ([(header::CONTENT_TYPE, "application/json")], answer).into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().collect();
    let [_, folder, port] = words.as_slice() else {
        return Err("usage: axum_app FOLDER PORT".into());
    };
    let app = axum::Router::new()
        .fallback(invoke)
        .with_state(Arc::new(Model::load(Path::new(folder))?));
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port.parse()?).into())?;
    let listener = socket
        .listen(BACKLOG)?
        .tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, app).await?;
    Ok(())
}
