use expect_test::expect;
use hilum_words::Problems;
use hilum_words::config::Document;

use super::*;

/// A small configuration with one of everything.
fn read(document: &Document, problems: &Problems) {
    let mut root = document.root(problems);
    for (_, mut section) in root.sections("peer") {
        if section.word("kind", &["plain", "sealed"]).is_some_and(|it| it.value == 1) {
            section.required_secret("key");
            section.secret("next_key");
        }
        section.size_or("bytes_max", 1 << 20);
        section.integer("attempts", 1..=9);
        section.duration("timeout");
        if section.is_text("clearance") {
            section.text("clearance");
        } else if let Some(mut lists) = section.section("clearance") {
            lists.texts("open");
            lists.finish();
        }
        section.finish();
    }
    if let Some(mut settings) = root.section("settings") {
        for key in settings.keys() {
            settings.text(&key);
        }
    }
    root.finish();
}

#[test]
fn the_schema_says_what_the_readers_say() {
    let schema = of(&Asked::explore(read));
    expect![[r##"
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "A configuration of Hilum",
          "type": "object",
          "properties": {
            "peer": {
              "type": "object",
              "additionalProperties": {
                "type": "object",
                "properties": {
                  "kind": {
                    "enum": [
                      "plain",
                      "sealed"
                    ]
                  }
                },
                "required": [
                  "kind"
                ],
                "allOf": [
                  {
                    "if": {
                      "properties": {
                        "kind": {
                          "const": "plain"
                        }
                      },
                      "required": [
                        "kind"
                      ]
                    },
                    "then": {
                      "$ref": "#/$defs/peer-plain"
                    }
                  },
                  {
                    "if": {
                      "properties": {
                        "kind": {
                          "const": "sealed"
                        }
                      },
                      "required": [
                        "kind"
                      ]
                    },
                    "then": {
                      "$ref": "#/$defs/peer-sealed"
                    }
                  }
                ]
              }
            },
            "settings": {
              "type": "object",
              "properties": {},
              "additionalProperties": {
                "type": "string"
              }
            }
          },
          "additionalProperties": false,
          "$defs": {
            "peer-plain": {
              "type": "object",
              "properties": {
                "attempts": {
                  "type": "integer",
                  "minimum": 1,
                  "maximum": 9
                },
                "bytes_max": {
                  "type": [
                    "string",
                    "integer"
                  ],
                  "pattern": "^[0-9][0-9_]* *(B|kB|KB|MB|GB|KiB|MiB|GiB)?$",
                  "minimum": 1,
                  "default": "1 MiB"
                },
                "clearance": {
                  "anyOf": [
                    {
                      "type": "string"
                    },
                    {
                      "type": "object",
                      "properties": {
                        "open": {
                          "type": "array",
                          "items": {
                            "type": "string"
                          }
                        }
                      },
                      "additionalProperties": false
                    }
                  ]
                },
                "kind": {
                  "const": "plain"
                },
                "timeout": {
                  "type": "string",
                  "pattern": "^[0-9][0-9_]* *(ms|s|m|min|h|d)$"
                }
              },
              "additionalProperties": false,
              "required": [
                "kind"
              ],
              "title": "kind = \"plain\""
            },
            "peer-sealed": {
              "type": "object",
              "properties": {
                "attempts": {
                  "type": "integer",
                  "minimum": 1,
                  "maximum": 9
                },
                "bytes_max": {
                  "type": [
                    "string",
                    "integer"
                  ],
                  "pattern": "^[0-9][0-9_]* *(B|kB|KB|MB|GB|KiB|MiB|GiB)?$",
                  "minimum": 1,
                  "default": "1 MiB"
                },
                "clearance": {
                  "anyOf": [
                    {
                      "type": "string"
                    },
                    {
                      "type": "object",
                      "properties": {
                        "open": {
                          "type": "array",
                          "items": {
                            "type": "string"
                          }
                        }
                      },
                      "additionalProperties": false
                    }
                  ]
                },
                "key_credential": {
                  "type": "string"
                },
                "key_env": {
                  "type": "string"
                },
                "key_file": {
                  "type": "string"
                },
                "kind": {
                  "const": "sealed"
                },
                "next_key_credential": {
                  "type": "string"
                },
                "next_key_env": {
                  "type": "string"
                },
                "next_key_file": {
                  "type": "string"
                },
                "timeout": {
                  "type": "string",
                  "pattern": "^[0-9][0-9_]* *(ms|s|m|min|h|d)$"
                }
              },
              "additionalProperties": false,
              "required": [
                "kind"
              ],
              "allOf": [
                {
                  "oneOf": [
                    {
                      "required": [
                        "key_file"
                      ]
                    },
                    {
                      "required": [
                        "key_env"
                      ]
                    },
                    {
                      "required": [
                        "key_credential"
                      ]
                    }
                  ]
                },
                {
                  "oneOf": [
                    {
                      "required": [
                        "next_key_file"
                      ]
                    },
                    {
                      "required": [
                        "next_key_env"
                      ]
                    },
                    {
                      "required": [
                        "next_key_credential"
                      ]
                    },
                    {
                      "not": {
                        "anyOf": [
                          {
                            "required": [
                              "next_key_file"
                            ]
                          },
                          {
                            "required": [
                              "next_key_env"
                            ]
                          },
                          {
                            "required": [
                              "next_key_credential"
                            ]
                          }
                        ]
                      }
                    }
                  ]
                }
              ],
              "title": "kind = \"sealed\""
            }
          }
        }"##]]
    .assert_eq(&serde_json::to_string_pretty(&schema).expect("JSON"));
}
