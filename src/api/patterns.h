// The regular expressions of the services' models that Argosy checks, each with its linear-time matcher.
#pragma once

#include "api/shape.h"

namespace argosy::api {

extern const Pattern kNamePattern;            // [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}: jobs, configs, endpoints, variants
extern const Pattern kLongNamePattern;        // [a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}: experiments, trials
extern const Pattern kModelNamePattern;       // [a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?
extern const Pattern kNameContainsPattern;    // [a-zA-Z0-9\-]+
extern const Pattern kRoleArnPattern;         // arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+
extern const Pattern kS3UriPattern;           // (https|s3)://([^/]+)/?(.*)
extern const Pattern kSagemakerArnPattern;    // arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+
extern const Pattern kChannelNamePattern;     // [A-Za-z0-9\.\-_]+
extern const Pattern kEnvironmentKeyPattern;  // [a-zA-Z_][a-zA-Z0-9_]*
extern const Pattern kKmsKeyPattern;          // [a-zA-Z0-9:/_-]*
extern const Pattern kNoSpacePattern;         // [\S]+
extern const Pattern kNonEmptyLinePattern;    // .+
extern const Pattern kLinePattern;            // .*
extern const Pattern kTagPattern;             // ([\p{L}\p{Z}\p{N}_.:/=+\-@]*)
extern const Pattern kLogGroupPattern;        // [\.\-_/#A-Za-z0-9]+
extern const Pattern kLogStreamPattern;       // [^:*]*
extern const Pattern kIamNamePattern;         // [\w+=,.@-]+

}  // namespace argosy::api
